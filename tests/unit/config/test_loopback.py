"""Amavis and webmail bring Postfix mail on 127.0.0.1: parameters that close it are refused beside them."""

from collections.abc import Mapping

import pytest

from components.config.mail import MailServerConfig, User, check_mail
from components.config.programs import Filter, Pop3
from tests.support.problems import ids

PARAMETERS: list[Mapping[str, str]] = [
    {"inet_interfaces": "163.32.182.2"},
    {"inet_interfaces": "$myhostname"},
    {"inet_interfaces": "[::1], 163.32.182.2"},
    {"inet_protocols": "ipv6"},
]


def problems(main_cf: Mapping[str, str], *, with_filter: bool = True, webmail: bool = False) -> list[str]:
    config = MailServerConfig(
        mydestination=("$mydomain",),
        users=(User(name="postmaster", password="x"),),
        main_cf=main_cf,
        filter=Filter.AMAVIS if with_filter else None,
        webmail=webmail,
        pop3=Pop3.DOVECOT,
    )
    return ids(check_mail(config, "mail"))


@pytest.mark.parametrize("main_cf", PARAMETERS)
def test_filter_and_webmail_need_127_0_0_1(main_cf: Mapping[str, str]) -> None:
    assert problems(main_cf) == ["needs-loopback"]
    assert problems(main_cf, with_filter=False, webmail=True) == ["needs-loopback"]


@pytest.mark.parametrize("main_cf", PARAMETERS)
def test_nothing_else_does(main_cf: Mapping[str, str]) -> None:
    assert problems(main_cf, with_filter=False) == []


@pytest.mark.parametrize(
    "main_cf",
    [
        {},
        {"inet_interfaces": "all", "inet_protocols": "ipv4"},
        {"inet_interfaces": "$myhostname, localhost"},
        {"inet_interfaces": "163.32.182.2,127.0.0.1"},
        {"inet_interfaces": "loopback-only", "inet_protocols": "all"},
    ],
)
def test_open_loopback_is_enough(main_cf: Mapping[str, str]) -> None:
    assert problems(main_cf) == []
