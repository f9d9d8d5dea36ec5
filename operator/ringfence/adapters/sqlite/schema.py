"""The tables of one log's file and how old files become new ones.

Law: leaves are never changed or removed, bodies are never changed and removed only when due, the head only grows.
Triggers stop accidents; against who owns the file, chain and checkpoints are the evidence.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of one sort of file."""

    application_id: int
    """Tells these files from any other SQLite database."""
    migrations: tuple[str, ...]
    """Script i takes a file from ``user_version`` i to i + 1; a released one is never edited."""


_FIRST: Final = """
CREATE TABLE log (              -- one row: which log this is
  id      TEXT NOT NULL PRIMARY KEY,
  origin  TEXT NOT NULL         -- its name in checkpoints, never given to another log
) STRICT, WITHOUT ROWID;

CREATE TABLE head (             -- one row: where the log ends
  one       INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  size      INTEGER NOT NULL,
  last      BLOB NOT NULL CHECK (length(last) = 32),
  frontier  BLOB NOT NULL
) STRICT;

CREATE TABLE leaf (
  n     INTEGER NOT NULL PRIMARY KEY,
  run   BLOB NOT NULL CHECK (length(run) = 16),
  type  TEXT NOT NULL,
  leaf  BLOB NOT NULL           -- the exact bytes that chain and tree cover
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX leaf_once ON leaf (run, type);

CREATE TABLE body (             -- apart from the leaf: it goes when it is due, the leaf stays
  n           INTEGER NOT NULL PRIMARY KEY REFERENCES leaf,
  time        INTEGER NOT NULL, -- milliseconds since 1970, as in the leaf
  retention   TEXT NOT NULL,
  keep_until  INTEGER NOT NULL, -- milliseconds since 1970
  salt        BLOB NOT NULL CHECK (length(salt) = 16),
  deflated    BLOB NOT NULL     -- zlib; the commitment is to the bytes before compression
) STRICT;

CREATE TABLE open_run (         -- runs with a START and no outcome
  run  BLOB NOT NULL PRIMARY KEY,
  n    INTEGER NOT NULL REFERENCES leaf
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint (
  size  INTEGER NOT NULL PRIMARY KEY,
  note  TEXT NOT NULL
) STRICT;

CREATE TRIGGER log_fixed BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'a log keeps its name'); END;
CREATE TRIGGER log_stays BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'a log keeps its name'); END;
CREATE TRIGGER head_grows BEFORE UPDATE ON head WHEN NEW.size <= OLD.size
  BEGIN SELECT RAISE(ABORT, 'a log only grows'); END;
CREATE TRIGGER head_stays BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'a log only grows'); END;
CREATE TRIGGER leaf_fixed BEFORE UPDATE ON leaf BEGIN SELECT RAISE(ABORT, 'leaves are append-only'); END;
CREATE TRIGGER leaf_stays BEFORE DELETE ON leaf BEGIN SELECT RAISE(ABORT, 'leaves are append-only'); END;
CREATE TRIGGER body_fixed BEFORE UPDATE ON body BEGIN SELECT RAISE(ABORT, 'bodies are never changed'); END;
CREATE TRIGGER body_kept BEFORE DELETE ON body
  WHEN OLD.keep_until > CAST(unixepoch('subsec') * 1000 AS INTEGER) OR OLD.n IN (SELECT n FROM open_run)
  BEGIN SELECT RAISE(ABORT, 'the body is not due'); END;
CREATE TRIGGER open_run_fixed BEFORE UPDATE ON open_run BEGIN SELECT RAISE(ABORT, 'runs are closed by an outcome'); END;
CREATE TRIGGER open_run_stays BEFORE DELETE ON open_run
  WHEN NOT EXISTS (SELECT 1 FROM leaf WHERE run = OLD.run AND type <> 'START')
  BEGIN SELECT RAISE(ABORT, 'runs are closed by an outcome'); END;
CREATE TRIGGER checkpoint_fixed BEFORE UPDATE ON checkpoint
  BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
CREATE TRIGGER checkpoint_stays BEFORE DELETE ON checkpoint
  BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
"""

LOG: Final = Schema(0x52464C47, (_FIRST,))  # "RFLG"
