"""Flagcast: what the two functions and the command line share. The rooms, in the order of an event:

| room | job |
|---|---|
| errors, clock | what is raised; time as it is passed in |
| primitives | durations, times, addresses, positions in a text |
| events | an event of Flipt's, its filters, its signature, what it is about |
| flipt_state | what Flipt has: resend or change, and what changed |
| templates, templates.jinja, templates.go | text with values in it: by Jinja2, or as Flipt's Go does it |
| config | flagcast.yaml: the typed model, and how it is read |
| tasks | one event for one destination: the message, its routing, its outcomes |
| archive | one event as an object of the archive, and what it proves |
| ingest | from a request to messages: credentials, acceptance, fan-out |
| summaries | an event in the words that people read |
| exchange | one request to a destination, and what it answered |
| rendering | from an event to a request: compiled templates and conditions |
| delivery | an attempt, what follows from it, and a batch of them |
| notices | when a destination is in trouble, and who is notified |
| preflight | what can be wrong with a configuration before an event comes |
| edges.runtime | clock, environment, files, log lines |
| edges.aws, edges.aws.targets | AWS, one service a module; AWS services as destinations |
| edges.http | HTTP to destinations |
| edges.wiring | what the two handlers call: every edge made once, and put together |

A room imports only rooms above it, and only edges have effects; tests/unit/test_architecture.py holds them to it.
"""

__version__ = "0.1.0"
