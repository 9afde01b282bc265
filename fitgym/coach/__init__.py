"""What to do today and in the coming weeks: a profiled person's plans under constraints.

``SeasonProgram`` plans, ``Diary`` remembers, ``advise`` answers; docs/coach.md tells how.
"""
