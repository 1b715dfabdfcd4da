"""What a root shell can do to machines, and what they are like when they are whole."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

from driver.lab import Lab

# Of ten kinds, on every machine: what is not there (a mail server's files on the router) is left out.
EVERYWHERE = r"""
# files edited, removed, with other rights
echo '# edited' >>/etc/rc.local; echo 'mydestination = example.org' >>/etc/postfix/main.cf
echo 'garbage {' >>/etc/bind/named.conf; echo broken >/etc/rspamd/local.d/actions.conf; echo 'chen: lin' >>/etc/aliases
rm -f /etc/services /etc/nsswitch.conf /etc/aliases.db /etc/postfix/master.cf
chmod 000 /etc/passwd /etc/hosts /usr/lib/maillab/roles/*; chmod 777 /etc/shadow; chown -R 1000 /etc/postfix /etc/bind
echo mine >/root/note
# rules, addresses, routes, resolver
iptables -F; ip6tables -F; iptables -P INPUT DROP; iptables -t nat -A OUTPUT -p tcp --dport 25 -j REDIRECT --to-ports 9
ip route flush table main; ip -6 route del default
for dev in $(ls /sys/class/net); do ip address flush dev "$dev" scope global; done
ip address add 10.9.9.9/8 dev lo
echo 'nameserver 192.0.2.1' >/etc/resolv.conf; echo '192.0.2.1 mail.dc1es.tnc.edu.tw' >>/etc/hosts
# users and passwords
userdel -f chen; echo 'lin:stolen-2006' | chpasswd; useradd -o -u 0 -m -p "$(openssl passwd x)" second
# services: stopped, replaced by nothing, killed
service xinetd stop; service rspamd stop
for one in postfix named ssh xinetd; do ln -sf /bin/true "/etc/init.d/$one"; done
pkill -9 'rsyslogd|named|clamd|redis-server|master|qmgr|sshd'
# what lies on volumes: owners, modes, folders, a link where a mailbox belongs
chown -R root:root /var/spool/postfix; chmod -R 000 /var/spool/postfix/hold /var/spool/postfix/deferred
rm -rf /var/spool/postfix/private /var/spool/postfix/pid /var/spool/postfix/etc
chown root:root /var/mail/*; chmod 000 /var/mail /var/mail/*; ln -s /dev/null /var/mail/wang; touch /var/mail/lin.lock
mkdir /var/mail/manager
rm -rf /var/lib/maillab/zones/*; echo garbage >/var/lib/maillab/rndc.key; chown -R root:root /var/lib/redis
# binaries: moved, in the way, and what everything loads
mkdir -p /opt/away; mv /usr/sbin/{postconf,named,iptables,xinetd} /usr/bin/rspamd /opt/away
printf '#!/bin/sh\nexit 1\n' >/usr/local/bin/flock; chmod +x /usr/local/bin/flock
cp /usr/local/bin/flock /usr/local/bin/ip
mv /usr/local/sbin/maillab-apply /usr/local/sbin/maillab-boot /opt/away
rm -rf /etc/maillab
echo /nowhere.so >/etc/ld.so.preload
"""
WITHOUT_PROGRAMS = "rm -rf /usr/bin /usr/sbin /usr/lib/maillab"

# What is the same whenever a machine is as configured: files with owners and modes, what is in force.
FACTS = r"""
exec 2>/dev/null
changing='maillab($|/)|ssh/ssh_host|\.pwd\.lock|(passwd|shadow|group|gshadow|subuid|subgid)-'
kept() { grep -vE "^/etc/($changing)"; }
echo "== files"; find /etc /usr /opt /root /home -xdev ! -type d -printf '%p %M %u:%g %l\n' | kept | sort
echo "== folders"; find /etc /usr /opt /root /home -xdev -type d -printf '%p %M %u:%g\n' | kept | sort
echo "== sizes"; find /usr -xdev -type f -printf '%p %s\n' | sort
echo "== texts"; find /etc -xdev -type f ! -name 'shadow*' -print0 | sort -z | xargs -0 sha256sum | sed 's/ \+/ /' |
  while read -r sum path; do echo "$path $sum"; done | kept
echo "== configuration"
cd /etc/maillab/current && find . -type f ! -name '*.db' ! -name '*.asked' ! -name rndc.key ! -path './etc/bind/db.*' |
  sort | xargs stat -c '%n %a %U:%G' && find . -type f ! -name '*.db' ! -name '*.asked' ! -name rndc.key \
  ! -path './etc/bind/db.*' ! -name .sums | sort | xargs sha256sum
echo "== rules"; { iptables-save; ip6tables-save; } | grep -vE '^[#*]|^COMMIT|127\.0\.0\.11' | sed 's/\[[0-9:]*\]//'
echo "== addresses"; ip -o address | grep -v fe80: | sed -E 's/^[0-9]+: //; s/ *\\.*//' | grep -v 192.0.0.8 | sort
echo "== routes"; { ip route; ip -6 route; } | grep -v '^fe80' | sed -E 's/ (metric|expires) .*//' | sort
echo "== resolver"; cat /etc/resolv.conf /etc/hosts; hostname
echo "== ports"; ss -Hltun | awk '{print $1, $5}' | grep -v 127.0.0.11 | sort -u
echo "== programs"; ps -eo user:20=,comm= | sort -u |
  grep -E ' (rsyslogd|master|qmgr|named|xinetd|sshd|rspamd.*|clamd|redis-server)$'
echo "== volumes"; cd /var
find mail spool/postfix lib/maillab -type d ! -regex '.*/defer.*/.\|.*by-hand' -printf '%p %M %u:%g\n' | sort
echo "== mailboxes"; find /var/mail -type f -printf '%p %M %u:%g\n' | sort
"""


def facts(lab: Lab, names: Collection[str] = ()) -> dict[str, dict[str, list[str]]]:
    """By machine (of `names`, or of all) and section, what a machine says of itself."""
    asked = {name: machine for name, machine in lab.machines.items() if not names or name in names}
    with ThreadPoolExecutor(3) as pool:
        said = pool.map(lambda machine: machine.succeed(FACTS), asked.values())
        return {name: _sections(words) for name, words in zip(asked, said, strict=True)}


def _sections(words: str) -> dict[str, list[str]]:
    found = {}
    for part in words.split("== ")[1:]:
        name, *lines = part.splitlines()
        found[name] = lines
    return found


def damage(lab: Lab) -> None:
    """All of it, on all machines; some of them lose even more."""
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda machine: machine.execute(EVERYWHERE), lab.machines.values()))
    lab["router"].execute("rm /etc/ld.so.preload")
    lab["router"].execute(WITHOUT_PROGRAMS)
    lab["workstation"].container.remove(force=True)
    lab["outside"].container.kill()
    (network,) = lab.client.networks.list(names=[f"{lab.stack}-internet"])
    network.disconnect(lab["tn"].container, force=True)
