# login_probe.pl ADDRESS PORT SECONDS: tries to log in by POP3 (RFC 1939), and reads nothing. perl's base modules are on every
# machine of the lab.
# stdin: lines "NUMBER USER PASSWORD"; stdout: lines "NUMBER accepted", "NUMBER refused", or "NUMBER no connection" when
# the server ends the session, or says nothing for SECONDS; then the others are given up soon, too.
# AT_ONCE of them go side by side: a server answers a wrong password after some seconds only.
use strict;
use warnings;
use IO::Socket::IP;
use constant AT_ONCE => 20;
$| = 1;

my ($address, $port, $seconds) = @ARGV;
local $SIG{ALRM} = sub { die "late\n" };

# What eval has no answer for is a session that is over.
sub in_time {
    my ($talk) = @_;
    my $reply = eval { alarm $seconds; my $line = $talk->(); alarm 0; $line };
    alarm 0;
    # The others have had that long, too.
    $seconds = 1 if !defined $reply && $@ eq "late\n";
    return $reply // '';
}

sub say_it {
    my ($session, $words) = @_;
    print {$session} "$words\r\n" or die "hung up\n";
}

# As far as the server can be without knowing whether the password is right.
sub begin {
    my ($user, $password) = @_;
    my $session;
    in_time(sub {
        $session = IO::Socket::IP->new(PeerHost => $address, PeerPort => $port) or die "no connection\n";
        <$session> // die "hung up\n";
        say_it($session, "USER $user");
        <$session> // die "hung up\n";
        say_it($session, "PASS $password");
    });
    return $session;
}

# A mailbox that somebody has open is one whose password was right (RFC 2449, section 8.1.1).
# Without a QUIT: with one the server would write the mailbox again, in its own form (RFC 1939, section 6).
sub end {
    my ($session) = @_;
    my $reply = $session ? in_time(sub { scalar <$session> }) : '';
    close $session if $session;
    return $reply =~ /^\+OK|^-ERR \[IN-USE\]/ ? 'accepted' : $reply =~ /^-ERR/ ? 'refused' : 'no connection';
}

local $SIG{PIPE} = 'IGNORE';
my @asked = map { chomp; [split / /, $_, 3] } <STDIN>;
while (my @some = splice @asked, 0, AT_ONCE) {
    my @sessions = map { begin($_->[1], $_->[2]) } @some;
    print "$some[$_][0] ", end($sessions[$_]), "\n" for 0 .. $#some;
}
