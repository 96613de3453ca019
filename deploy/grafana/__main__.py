"""`python -m deploy.grafana` writes dashboards/ anew; commit the difference."""

from pathlib import Path

from deploy.grafana.boards import documents

FOLDER = Path(__file__).parent / "dashboards"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    made = documents()
    for old in FOLDER.glob("*.json"):
        if old.name not in made:
            old.unlink()
    for name, content in made.items():
        (FOLDER / name).write_bytes(content)
    print(f"{len(made)} dashboards in {FOLDER}")


if __name__ == "__main__":
    main()
