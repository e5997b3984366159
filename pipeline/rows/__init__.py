"""The one form of rows between stages, and the only way to and from Arrow.

Rows go from stage to stage as scaled tables (``schema``): keys, values as integers over a power of
ten (``numbers``), flags as dictionaries. ``arrays`` has the way between these and numpy, ``keys``
that of station, date, time and hour, ``values`` that of what people give and get, ``union`` that of
several batches to one table.
"""
