"""The main job: plan the insurer's week, compare the policies, print the result, and keep it for the app."""

from __future__ import annotations

import sys
import time

from rich.console import Console

from planner import jobs, report
from sim import kernel


def main() -> None:
    """Run the demo; progress on stderr, the result on stdout."""
    start = time.monotonic()

    def say(text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - start:6.1f} s  {text}\n")

    kernel.warm_up(say)
    loaded = jobs.load(jobs.DEMO)
    document = jobs.kept_compare(loaded.value, jobs.demo_options(loaded.value), say=say)
    out = Console(width=None if sys.stdout.isatty() else 170)
    out.print(f"[bold]{document['title']}[/bold]\n{document['story']}\n", highlight=False)
    report.print_comparison(out, document)
    out.print(
        f"\nMade in {time.monotonic() - start:.0f} s ({document['replications']} paired replications, quick planning). "
        "Open it in the browser with: make app",
        highlight=False,
    )


if __name__ == "__main__":
    main()
