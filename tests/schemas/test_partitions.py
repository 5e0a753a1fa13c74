"""Golden partitions. The crc32 sums come from elsewhere: the trailer that gzip, the program, writes
(`printf %s SLUG | gzip -c | tail -c8 | head -c4 | od -An -tu4 --endian=little`)."""

import pytest

from schemas.partitions import PARTITIONS, partition_of

CRC32 = {
    "leiderdorp": 4_010_815_554,
    "katwijk": 800_788_198,
    "voorbeeldstad": 1_122_790_323,
    "bel-combinatie": 1_899_307_930,
    "s-hertogenbosch": 1_857_833_354,
    "utrecht": 2_360_932_936,
    "zwolle_noord": 167_949_570,
    "a": 3_904_355_907,
    "0": 4_108_050_209,
}
PARTITION = {
    "leiderdorp": 2,
    "katwijk": 38,
    "voorbeeldstad": 51,
    "bel-combinatie": 26,
    "s-hertogenbosch": 10,
    "utrecht": 8,
    "zwolle_noord": 2,
    "a": 3,
    "0": 33,
}


@pytest.mark.parametrize("slug", CRC32)
def test_golden(slug: str) -> None:
    assert partition_of(slug) == PARTITION[slug] == CRC32[slug] % 64


def test_64_for_ever() -> None:
    assert PARTITIONS == 64
