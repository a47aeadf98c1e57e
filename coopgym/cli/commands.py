"""The commands: each parses, calls one function of a room below, and prints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coopgym.cli import output, parameters
from coopgym.cli.audit import audit
from coopgym.cli.compare import compare
from coopgym.cli.explore import explore
from coopgym.cli.group import Commands
from coopgym.cli.parameters import ALL_MODES, Device, GameName, Json, Modes, Quiet, Seeds, Steps, names
from coopgym.cli.pictures import picture
from coopgym.cli.report import report
from coopgym.cli.studies import app as studies
from coopgym.files import check_picture, output_path
from coopgym.oracles import NAMES

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Twenty continuous-action games of coopetition: look at them, train on them, compare reward modes.\n\n"
    "Example: coopgym ablate AppleAppStore-v1 --seeds 7",
)

app.add_typer(studies, name="study")


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    if version:
        import coopgym

        typer.echo(f"coopgym {coopgym.__version__}")
        raise typer.Exit


@app.command("list")
def list_(
    report: Annotated[int | None, typer.Option(help="Only the games of one technical report, 1 to 4.")] = None,
    version: Annotated[str, typer.Option(help="v1: as in the reports; v0: as released in 1.0.6.")] = "v1",
    json: Json = False,
) -> None:
    """List the games.

    Example: coopgym list --report 4
    """
    from coopgym.report import catalogue

    output.games(catalogue.games(report, version), json)


@app.command()
def show(game: GameName, json: Json = False) -> None:
    """Show one game: its agents, parameters and options.

    Example: coopgym show AppleAppStore-v1
    """
    from coopgym.report import catalogue

    output.game(catalogue.describe(game), json)


@app.command()
def train(
    algorithm: Annotated[str, typer.Argument(help="A learner, e.g. IPPO.")],
    game: Annotated[str, typer.Argument(help="A game, e.g. TrustDilemma-v1; it may also come first.")],
    modes: Modes = ALL_MODES,
    seeds: Seeds = 1,
    steps: Steps = 500_000,
    out: Annotated[str | None, parameters.records("Folder or URL of the run; runs/ALGORITHM-GAME by default.")] = None,
    device: Device = "auto",
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Train all seeds and reward modes of one algorithm as one program; keep policies and records.

    After an interrupt, the same command goes on where it stopped, inside a run too.

    Example: coopgym train IPPO TrustDilemma-v1 --seeds 3 --steps 200000
    """
    from coopgym.algorithms import registry
    from coopgym.study.ablation import run_ablation

    algorithm, game = parameters.in_order(algorithm, game)
    registry.algorithm(algorithm, "learner")
    folder = f"runs/{algorithm}-{game}" if out is None else out
    with output.progress(quiet) as bar:
        result = run_ablation(
            game, [algorithm], reward_modes=names(modes), seeds=seeds, steps=steps, out=folder, workers=1,
            device=device, news=bar,
        )  # fmt: skip
    output.runs(result, json)
    if result.failures:
        raise typer.Exit(1)


@app.command()
def evaluate(
    run: Annotated[
        Path, parameters.argument("A folder of `coopgym train` or `ablate`, or the file of a policy in it.", "RUN")
    ],
    episodes: Annotated[int, typer.Option(min=1, help="Episodes for each policy.")] = 100,
    seed: Annotated[int, typer.Option(help="Seed of the games' randomness and of stochastic policies.")] = 0,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Play the trained policies of a run again and report what they earn.

    Example: coopgym evaluate runs/IPPO-TrustDilemma-v1
    """
    from coopgym.study.replay import evaluate_run

    with output.progress(quiet) as bar:
        results = evaluate_run(run, episodes=episodes, seed=seed, news=bar)
    output.evaluations(results, json)


@app.command()
def solve(
    game: GameName,
    concept: Annotated[str, typer.Option(help=f"{', '.join(NAMES)}; several with commas.")] = "all",
    mode: Annotated[
        str | None, typer.Option(help="Reward mode; the concept's own by default.", callback=parameters.modes)
    ] = None,
    plot: Annotated[Path | None, parameters.plot("A picture of the actions, one panel a concept.")] = None,
    cache: Annotated[Path | None, parameters.file("A folder in which answers are kept.")] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Solve a game: equilibria, the social optimum and rules, each with what is certain about it.

    What a concept has no answer for is said with the reason; asked for it alone, that is an error.

    Example: coopgym solve TrustDilemma-v1 --concept nash
    """
    from coopgym.oracles.solve import solve_all

    with output.progress(quiet) as bar:
        found = solve_all(game, None if concept == "all" else names(concept), mode, cache=cache, news=bar)
    if plot:
        from coopgym.report.solutions import plot_solutions

        plot_solutions(found.solutions, plot)
    output.solutions(found, plot, json)


@app.command()
def landscape(
    game: GameName,
    mode: Annotated[
        str, typer.Option(help="Reward mode; the release audits integrated rewards.", callback=parameters.modes)
    ] = "integrated",
    agents: Annotated[
        str, typer.Option(help="Who leaves in the release's audits: roles, all, or names with commas; the first.")
    ] = "",
    own_rates: Annotated[
        bool, typer.Option("--own-rates", help="Levels are shares of each agent's own endowment, not raw numbers.")
    ] = False,
    plot: Annotated[Path | None, parameters.plot("A picture of the surface and of what leaving it pays.")] = None,
    json: Json = False,
) -> None:
    """What constants earn in a game, and what leaving them pays: the release's two audits, and ours.

    No policy takes part. In ours every role leaves, for its selfish best answer and at rates of its own endowment.

    Example: coopgym landscape TrustDilemma-v0 --plot landscape.png
    """
    from coopgym.audit.landscape.whole import landscape as audit

    found = audit(game, mode, agents=_agents(agents), own_rates=own_rates)
    if plot:
        from coopgym.report.landscape import plot_landscape

        plot_landscape(found, plot)
    output.landscape(found, plot, json)


def _agents(text: str) -> str | int | list[str]:
    return (text if text in ("roles", "all") else text.split(",")) if text else 0


@app.command()
def validate(
    report: Annotated[str, typer.Argument(help="1, 2, 3, 4, several with commas, or all.")] = "all",
    strict: Annotated[bool, typer.Option("--strict", help="Also nulls, ablations, predictions, sensitivity.")] = False,
    plot: Annotated[Path | None, parameters.file("A folder for pictures, one a case study.")] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Compute the published validation of the technical reports again; compare every figure with its recorded value.

    The table shows the published figures, and JSON all that were compared. Exit code 1 if one departs.

    Example: coopgym validate 3 --strict
    """
    from coopgym.cli import validation
    from coopgym.validation.validate import validate as run

    with output.progress(quiet) as bar:
        found = run(report, strict, bar)
    pictures = []
    if plot:
        from coopgym.report.cases import plot_cases

        pictures = plot_cases(found.reports, plot)
    validation.show(found, pictures, json)
    if not found.holds:
        raise typer.Exit(1)


@app.command()
def ablate(
    game: GameName,
    algorithms: Annotated[
        str | None, typer.Option(help="Learners; also Nash, TitForTat, ... IPPO,MAPPO by default.")
    ] = None,
    seeds: Seeds = 7,
    steps: Steps = 500_000,
    modes: Modes = ALL_MODES,
    out: Annotated[
        str | None, parameters.records("Folder or URL of the records; runs/ablation-GAME by default.")
    ] = None,
    trainer: Annotated[str, typer.Option(help="own; or rllib, for RLlib's PPO (the default there) and SAC.")] = "own",
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; the number of cores by default.")] = None,
    device: Device = "auto",
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Train every algorithm under every reward mode; print a table with intervals and save a plot.

    Finished runs are kept: after an interrupt, the same command goes on where it stopped, inside a run too.

    Example: coopgym ablate AppleAppStore-v1 --seeds 7 --steps 500000
    """
    from coopgym.report.plots import plot_ablation
    from coopgym.study import trainers
    from coopgym.study.ablation import run_ablation

    folder = f"runs/ablation-{game}" if out is None else out
    chosen = algorithms or trainers.DEFAULTS[trainers.check(trainer)]
    if "://" not in folder:  # at a URL there are records only
        check_picture(output_path(folder) / "ablation.png")
    with output.progress(quiet) as bar:
        result = run_ablation(
            game, names(chosen), trainer=trainer, reward_modes=names(modes), seeds=seeds, steps=steps,
            out=folder, workers=workers, device=device, news=bar,
        )  # fmt: skip
    picture = None
    if result.lines and isinstance(result.folder, Path):
        picture = plot_ablation(result.runs, result.curves, result.folder / "ablation.png")
    output.ablation(result, picture, json)
    if result.failures:
        raise typer.Exit(1)


app.command()(audit)
app.command()(compare)
app.command()(explore)
app.command()(picture)
app.command()(report)
