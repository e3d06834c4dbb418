"""How values travel to the client, where fakesnow loses them."""

from __future__ import annotations

from collections.abc import Callable

import fakesnow.arrow
import pyarrow as pa
import pyarrow.compute as pc

ToStruct = Callable[[pa.Array | pa.ChunkedArray], pa.Array]


def keep_nulls_and_zones(to_struct: ToStruct) -> ToStruct:
    """NULL timestamps would arrive as 1970-01-01, and a session zone other than UTC would fail an assertion."""

    def convert(timestamps: pa.Array | pa.ChunkedArray) -> pa.Array:
        values = timestamps.combine_chunks() if isinstance(timestamps, pa.ChunkedArray) else timestamps
        if values.type.tz:
            values = values.cast(pa.timestamp(values.type.unit, "UTC"))
        struct = to_struct(values)
        if not values.null_count:
            return struct
        children = [pc.fill_null(child, 0) for child in struct.flatten()]
        return pa.StructArray.from_arrays(children, fields=list(struct.type), mask=pc.is_null(values))

    return convert


def install() -> None:
    """Put the conversion in fakesnow's place."""
    fakesnow.arrow.timestamp_to_sf_struct = keep_nulls_and_zones(fakesnow.arrow.timestamp_to_sf_struct)
