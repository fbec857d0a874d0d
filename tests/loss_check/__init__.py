"""The loss accountant: events through both functions while everything fails, and a judge of what became of each.

client, events: who sends. receiver, answers: who is sent to, by a seeded script. cloud, calls, table: AWS, as it fails.
function, workers, wire: the functions, as processes that can be killed. run, hands, clock: what happens when.
ledger, books, judge, verdict, report: what happened, and whether it may. mutations: bugs that must not get past it.
"""
