"""The tables of the ledger's file. A copy of another version is made again: raise VERSION with every change.

`fan_out` has one row for each event and destination, also where the event's own line is older than what was copied.
A trigger keeps what it says of the last attempt: to look for the last of each of 300,000 deliveries takes a second.
"""

from typing import Final

VERSION: Final = 2

STATEMENTS: Final = (
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """
    CREATE TABLE events (
      event_id TEXT PRIMARY KEY, id TEXT NOT NULL, at INTEGER NOT NULL, source TEXT NOT NULL, type TEXT NOT NULL,
      action TEXT NOT NULL, denied INTEGER NOT NULL, subject TEXT, namespace TEXT, flag TEXT, segment TEXT,
      resource TEXT, actor TEXT, title TEXT, changes TEXT, more_changes INTEGER NOT NULL
    )
    """,
    "CREATE INDEX events_at ON events (at)",
    """
    CREATE TABLE attempts (
      id TEXT PRIMARY KEY, event_id TEXT NOT NULL, destination TEXT NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL,
      message_id TEXT NOT NULL, attempt INTEGER NOT NULL, receives INTEGER NOT NULL, duration_ms INTEGER NOT NULL,
      status INTEGER, why TEXT, cause TEXT, detail TEXT, reason TEXT, answer TEXT, waits_for TEXT,
      replay TEXT, next_attempt_at INTEGER, gives_up_at INTEGER
    )
    """,
    "CREATE INDEX attempts_of ON attempts (event_id, destination, at, receives)",
    "CREATE INDEX attempts_at ON attempts (at)",
    "CREATE INDEX attempts_reason ON attempts (reason) WHERE reason IS NOT NULL",
    """
    CREATE TABLE fan_out (
      event_id TEXT NOT NULL, destination TEXT NOT NULL, accepted_at INTEGER NOT NULL, at INTEGER NOT NULL,
      state TEXT NOT NULL, latest TEXT, PRIMARY KEY (event_id, destination)
    )
    """,
    "CREATE INDEX fan_out_at ON fan_out (at)",
    "CREATE INDEX fan_out_in ON fan_out (state, destination, at)",
    "CREATE INDEX fan_out_of ON fan_out (destination, at)",
    "CREATE TABLE rejections (id TEXT PRIMARY KEY, at INTEGER NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL)",
    "CREATE INDEX rejections_at ON rejections (at)",
    """
    CREATE TRIGGER attempt_added AFTER INSERT ON attempts BEGIN
      INSERT INTO fan_out VALUES (
        new.event_id, new.destination, ifnull((SELECT at FROM events WHERE event_id = new.event_id), new.at),
        new.at, new.state, new.id
      ) ON CONFLICT DO UPDATE SET accepted_at = min(accepted_at, new.at);
      UPDATE fan_out SET (latest, at, state) = (
        SELECT id, at, state FROM attempts WHERE event_id = new.event_id AND destination = new.destination
        ORDER BY at DESC, receives DESC, id DESC LIMIT 1
      ) WHERE event_id = new.event_id AND destination = new.destination;
    END
    """,
    """
    CREATE VIEW deliveries AS
      SELECT
        fan_out.event_id, fan_out.destination, fan_out.state, fan_out.accepted_at, fan_out.at,
        events.source, events.type, events.action, events.denied, events.namespace, events.flag, events.segment,
        events.resource, events.actor, events.title, events.changes,
        attempts.at AS attempted_at, attempts.message_id, attempts.attempt, attempts.duration_ms, attempts.status,
        attempts.why, attempts.cause, attempts.detail, attempts.reason, attempts.answer, attempts.waits_for,
        attempts.replay, attempts.next_attempt_at, attempts.gives_up_at
      FROM fan_out
      LEFT JOIN attempts ON attempts.id = fan_out.latest
      LEFT JOIN events ON events.event_id = fan_out.event_id
    """,
)  # fmt: skip
