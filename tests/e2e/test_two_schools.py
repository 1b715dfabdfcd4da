"""Two schools on one Internet: mail between them goes by DNS, and through the filter of the one that has it."""

from driver.lab import Lab
from tests.support.delivered import deliver_from

WANG, CHEN = "wang@dc1es.tnc.edu.tw", "chen@yaes.example"


def test_mail_into_the_county_passes_its_filter(two: Lab) -> None:
    assert deliver_from(two, "yaes-mail", CHEN, WANG).path == ["yaes-mail", "yaes-mail", "spamfilter", "mail"]


def test_mail_out_of_the_county_goes_straight_to_the_other_school(two: Lab) -> None:
    """Through its own filter, which is its relayhost, and then to the only MX."""
    assert deliver_from(two, "mail", WANG, CHEN).path == ["mail", "spamfilter", "yaes-mail", "yaes-mail"]
