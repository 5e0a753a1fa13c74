"""What `contactmeter drift` prints, in Dutch and English."""

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from pipeline.calendars import local_date
from pipeline.cli.table import aligned
from pipeline.drift.backtest import Alarm, Outcome
from pipeline.drift.kinds import Name
from pipeline.drift.notation import channel_title, figure_text
from pipeline.drift.phrases import WORDS as PHRASES
from pipeline.drift.plot import sparkline
from pipeline.drift.status import Watch
from pipeline.drift.streams import HOUR_MS
from pipeline.drift.telling import Block, Found, Usual
from pipeline.explain_words import DAYS, shown_at, shown_day
from pipeline.names import Language
from pipeline.numbers import number_text
