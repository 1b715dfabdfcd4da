"""Where messages are on the machines, and what their headers say: by Message-IDs, which nobody can guess."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from maillab.trace.machines import Machines

# Of a message's header, also the texts' names; None: what no effect wants.
MARKS = {True: "marked", False: "plain", None: "unchecked"}
# Message-IDs on stdin, a line each: `mailbox:<id>` lines. A notice of a message, to the postmaster, has its header in
# the text.
IN_MAILBOXES = r"""
ids=$(cat)
cd /var/mail && printf '%s\n' "$ids" | grep -laF -f - -- * 2>/dev/null | while read -r box; do
  printf '%s\n' "$ids" | awk -v box="$box" '
    NR == FNR { wanted[$0] = 1; next }
    /^From / { head = 1 }
    head && /^$/ { head = 0 }
    head && tolower($1) == "message-id:" && $2 in wanted { print box ":" $2 }' - "./$box"
done | sort -u
:
"""
# The same: the ids of what is in the queue, in Postfix' folders or Sendmail's files.
IN_QUEUES = (
    "cd /var/spool/postfix 2>/dev/null || cd /var/spool/mqueue"
    " && grep -rhaoF -f - incoming active deferred hold maildrop [qh]f* client 2>/dev/null | sort -u; :"
)
# "marked" for each message of these whose header says that it is spam, "unchecked" where amavis has written something
# else before its subject, or "plain"; by its Message-ID on stdin.
MARKED = r"""
read -r id
cat /var/mail/* 2>/dev/null | awk -v id="$id" '
  /^From / { head = 1; ours = flag = word = 0 }
  head && /^$/ { head = 0; if (ours) print flag ? "marked" : word ? "unchecked" : "plain" }
  head && tolower($0) ~ /^x-spam-flag: *yes/ { flag = 1 }
  head && tolower($0) ~ /^subject: *[*][*][*]/ { word = 1 }
  head && tolower($0) ~ /^message-id:/ && index($0, id) { ours = 1 }'
"""


def boxes_with(machines: Machines, names: Sequence[str], ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """`mailbox@machine` of each mailbox on these machines that has the message; by Message-ID (without brackets).

    Raises:
        MachineError: one of them could not be asked.
    """
    return _found(machines, names, ids, IN_MAILBOXES, lambda name, box: f"{box}@{name}")


def queues_with(machines: Machines, names: Sequence[str], ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """Those of these machines in whose queue the message is; by Message-ID (without brackets).

    Raises:
        MachineError: one of them could not be asked.
    """
    return _found(machines, names, ids, IN_QUEUES, lambda name, _: name)


def marks_of(machines: Machines, names: Iterable[str], message_id: str) -> set[str]:
    """What the filter says in the message's header, in each mailbox on these machines that has it: MARKS' words.

    Raises:
        MachineError: one of them could not be asked.
    """
    printed = [machines.run(name, ["sh", "-c", MARKED], f"<{message_id}>\n") for name in names]
    return {line for words in printed for line in words.split()}


def _found(
    machines: Machines, names: Sequence[str], ids: Sequence[str], program: str, place: Callable[[str, str], str]
) -> dict[str, frozenset[str]]:
    asked = "".join(f"<{one}>\n" for one in ids)
    with ThreadPoolExecutor(len(names) or 1) as pool:
        printed = list(pool.map(lambda name: machines.run(name, ["sh", "-c", program], asked), names))
    found: dict[str, set[str]] = {one: set() for one in ids}
    for name, lines in zip(names, printed, strict=True):
        for line in lines.splitlines():
            box, _, one = line.removesuffix(">").rpartition("<")
            if one in found:
                found[one].add(place(name, box.removesuffix(":")))
    return {one: frozenset(places) for one, places in found.items()}
