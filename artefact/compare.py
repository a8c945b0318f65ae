"""compare.py EXPECTED RESULTS: whether outcomes are those expected; the standard library is enough."""

import json
import sys

expected_file, results_file = sys.argv[1:]
with open(expected_file) as lines:
    expected = dict(line.rstrip("\n").split("\t")[:2] for line in lines)
with open(results_file) as results:
    found = {each["theorem"]: each["outcome"] for each in json.load(results)["results"]}
wrong = [name for name, outcome in found.items() if expected.get(name) != outcome]
for name in wrong:
    print(f"{name}: {found[name]}, expected {expected.get(name, 'nothing')}")
same = len(found) - len(wrong) if found else 0
print(f"{same} of {len(found)} outcomes as expected")
sys.exit(bool(wrong) or not found)
