"""What a study has found: rankings, contrasts, instability and failures, from its records alone, with intervals."""
