"""Write scenarios/scenario.schema.json, with which editors complete and check scenario files.

python -m scripts.write_schema [--check]
"""

import argparse
import json
import sys
from pathlib import Path

from planner.scenario.load import json_schema
from planner.scenario.schema import Scenario

SCHEMA = Path(__file__).resolve().parents[1] / "scenarios" / "scenario.schema.json"


def schema_text() -> str:
    """Text of the JSON schema of scenario files."""
    return json.dumps(json_schema(Scenario), indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the schema; with --check, only say whether it is up to date."""
    parser = argparse.ArgumentParser(prog="python -m scripts.write_schema", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if it is out of date")
    options = parser.parse_args(arguments)
    text = schema_text()
    if options.check:
        if SCHEMA.is_file() and SCHEMA.read_text(encoding="utf-8") == text:
            return 0
        print(f"{SCHEMA.name} is out of date: run python -m scripts.write_schema", file=sys.stderr)
        return 1
    SCHEMA.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
