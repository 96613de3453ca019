"""Takes what enterprises push; says what is admitted."""
