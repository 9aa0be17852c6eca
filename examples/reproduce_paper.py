"""Reproduce the paper's Table I on the shipped crops and look up a number."""

from nucrec.paper import reproduce

result = reproduce(tables=1, out="results")
print(result)
for protocol in ("paper", "honest"):
    found = result.tables[0].metric(protocol, "RF", "ACC")
    if found is not None:
        print(f"RF, {protocol}: {found.value:.2f} ({found.low:.2f} to {found.high:.2f})")
