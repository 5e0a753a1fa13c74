"""What ruins a stack for others: a disk that is full, and partitions added to contact-events. A stack of its own, on a small disk."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewPartitions

from schemas.topics import CONTACT_EVENTS
from tests.chaos import recovery, truth
from tests.chaos.crew import crew
from tests.chaos.forms import Form
from tests.e2e.running import Stack, running_stack, wait_until
from tests.engines import ClickHouseEngine

DISK = "96m"
