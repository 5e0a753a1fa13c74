"""An oracle: what contactmeter must have stored and shown, recomputed from the events alone by other means.

`expected(arrivals, organisation)` (tests/oracle/figures.py) takes events as they went over the wire, each with the moment at which
Kafka took it, and the organisation's YAML document, and says which events are refused, what every contact and answer is, and every figure
at any moment.

What is independent of what:

- It imports nothing of the product; only `test_core_agrees.py` knows both sides. It was written from the published definitions
  (docs/MEASURES.md), not from the code.
- It goes other ways on purpose. There is no state: everything is computed anew from the whole list of events, so order, cuts, duplicates
  and restarts do not exist for it. Days are walked one by one with datetime and zoneinfo; open time is a difference of sets of intervals;
  holidays stand in a table of dates written by hand (tests/oracle/days.py).
- It shares with the product Python's zoneinfo with its time zones, and the text of MEASURES.md. An error in that text would be in both.

What it leaves open, because the definitions do:

- Which of several reasons is named (a contact that is both suspended and excluded by its result): it gives all that hold, the product
  must name one of them.
- Which of two contents of one event id stands that were logged at the same millisecond: `lives` never holds such a pair.
"""
