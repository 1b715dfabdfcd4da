"""What smtpd answers to RCPT, by its restrictions."""

import pytest

from maillab.verify.restrictions import Asked, are_known, refusal

STRANGER = Asked(is_trusted=False, is_here=False, is_destination=False, is_listed=True)
FRIEND = Asked(is_trusted=True, is_here=False, is_destination=False, is_listed=True)
TO_US = Asked(is_trusted=False, is_here=False, is_destination=True, is_listed=True)
TO_NOBODY = Asked(is_trusted=False, is_here=False, is_destination=True, is_listed=False)
USER = Asked(
    is_trusted=False,
    is_here=False,
    is_destination=False,
    is_listed=True,
    is_logged_in=True,
    is_owned=True,
    is_owner=True,
)
PUPIL = Asked(is_trusted=False, is_here=False, is_destination=True, is_listed=True, is_logged_in=True, is_owned=True)
FORGER = Asked(is_trusted=False, is_here=False, is_destination=True, is_listed=True, is_owned=True)
HERE = Asked(is_trusted=False, is_here=True, is_destination=False, is_listed=True)


@pytest.mark.parametrize(
    ("lists", "asked", "code"),
    [
        pytest.param(["permit_mynetworks reject_unauth_destination"], STRANGER, "5.7.1", id="no relay"),
        pytest.param(["permit_mynetworks reject_unauth_destination"], FRIEND, "", id="relay for friends"),
        pytest.param(["permit_mynetworks reject_unauth_destination"], TO_US, "", id="mail for us"),
        pytest.param(["permit_mynetworks defer_unauth_destination"], STRANGER, "4.7.1", id="later"),
        pytest.param(["permit"], STRANGER, "", id="open relay"),
        pytest.param(["permit", "reject"], STRANGER, "5.7.1", id="permission is for one list"),
        pytest.param(["permit_mynetworks reject"], TO_US, "5.7.1", id="closed"),
        pytest.param(["permit_mynetworks, reject"], FRIEND, "", id="closed but for friends"),
        pytest.param(["", "PERMIT"], STRANGER, "", id="empty list"),
        pytest.param(["defer"], STRANGER, "4.3.2", id="closed for now"),
        pytest.param(["permit_auth_destination reject"], TO_US, "", id="destination"),
        pytest.param(["permit_auth_destination reject"], STRANGER, "5.7.1", id="no destination"),
        pytest.param(["permit_inet_interfaces reject"], HERE, "", id="from here"),
        pytest.param(["reject_unlisted_recipient reject"], TO_NOBODY, "5.1.1", id="unknown user"),
        pytest.param(["permit_sasl_authenticated reject_unauth_pipelining"], STRANGER, "", id="nothing said"),
        pytest.param(["permit_sasl_authenticated reject"], USER, "", id="logged in"),
        pytest.param(["permit_sasl_authenticated reject"], STRANGER, "5.7.1", id="not logged in"),
        pytest.param(["reject_sender_login_mismatch", "permit"], FORGER, "5.7.1", id="in a user's name"),
        pytest.param(["reject_unauthenticated_sender_login_mismatch"], FORGER, "5.7.1", id="without a login"),
        pytest.param(["reject_authenticated_sender_login_mismatch"], FORGER, "", id="only those who log in"),
        pytest.param(["reject_authenticated_sender_login_mismatch"], PUPIL, "5.7.1", id="one who has logged in"),
        pytest.param(["reject_unauthenticated_sender_login_mismatch"], PUPIL, "", id="only without a login"),
        pytest.param(["reject_sender_login_mismatch", "permit"], PUPIL, "5.7.1", id="in another one's name"),
        pytest.param(["reject_sender_login_mismatch", "permit"], USER, "", id="in one's own name"),
        pytest.param(["reject_sender_login_mismatch", "permit"], STRANGER, "", id="in a stranger's name"),
        pytest.param(["check_client_access permit_mynetworks reject"], STRANGER, "5.7.1", id="unknown says nothing"),
    ],
)
def test_first_refusal_counts(lists: list[str], asked: Asked, code: str) -> None:
    assert refusal([names.replace(",", "").split() for names in lists], asked) == code


@pytest.mark.parametrize(
    ("names", "known"),
    [
        (["permit_mynetworks", "reject_unauth_destination"], True),
        (["Permit_MyNetworks"], True),
        ([], True),
        (["permit_mynetworks", "check_policy_service"], False),
        (["reject_rbl_client"], False),
    ],
)
def test_whether_all_are_known(names: list[str], known: bool) -> None:
    assert are_known(names) is known
