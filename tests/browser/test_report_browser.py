"""The report in a browser."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.xdist_group("browser")


def test_the_browser_opens_a_page_and_axe_finds_a_picture_without_text(page, axe, tmp_path):
    place = tmp_path / "page.html"
    place.write_text('<!doctype html><html lang="en"><title>t</title><main><h1>x</h1><img src="data:,"></main></html>')
    page.goto(place.as_uri())
    assert page.title() == "t"
    assert any(line.startswith("image-alt") for line in axe(page))
