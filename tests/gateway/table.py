"""The whole bypass table."""

from typing import Final

from tests.gateway import rows_body, rows_fields, rows_http, rows_identity, rows_wire
from tests.gateway.rows import Futile, Row

ROWS: Final[tuple[Row, ...]] = (
    *(*rows_body.ROWS, *rows_fields.ROWS),
    *(*rows_identity.ROWS, *rows_http.ROWS, *rows_wire.ROWS),
)
FUTILE: Final[tuple[Futile, ...]] = (*rows_body.FUTILE, *rows_http.FUTILE, *rows_wire.FUTILE)
