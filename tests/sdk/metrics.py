"""Reads a metrics page with Prometheus' own parser, and prints its families with their number of samples.

    metrics.py FILE

Exits with 1 where a family has no help.
"""

import sys

from prometheus_client.parser import text_string_to_metric_families


def main():
    with open(sys.argv[1], encoding="utf-8") as page:
        families = list(text_string_to_metric_families(page.read()))
    for family in families:
        print(family.name, family.type, len(family.samples))
    bare = [family.name for family in families if not family.documentation]
    if bare or not families:
        print("without help:", bare, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
