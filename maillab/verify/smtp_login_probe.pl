# smtp_login_probe.pl ADDRESS PORT SECONDS HOST: tries to log in by SMTP (RFC 4954, PLAIN) behind STARTTLS, and sends nothing.
# It needs perl's TLS and the lab's authority, which a machine has whose users log in to send.
# stdin: lines "NUMBER USER PASSWORD"; stdout: lines "NUMBER accepted", "NUMBER refused", "NUMBER no trust" when the server has
# no good certificate for HOST, or "NUMBER no connection" when the server ends the session, or says nothing for SECONDS; then
# the others are given up soon, too.
# AT_ONCE of them go side by side: a server answers a wrong password after some seconds only.
use strict;
use warnings;
use IO::Socket::IP;
use IO::Socket::SSL;
use MIME::Base64;
use constant AT_ONCE => 20;
$| = 1;

my ($address, $port, $seconds, $host) = @ARGV;
local $SIG{ALRM} = sub { die "late\n" };
local $SIG{PIPE} = 'IGNORE';

sub in_time {
    my ($talk) = @_;
    my $reply = eval { alarm $seconds; my $line = $talk->(); alarm 0; $line };
    my $why = $@;
    alarm 0;
    # The others have had that long, too.
    $seconds = 1 if !defined $reply && $why eq "late\n";
    return ($reply // '', $why);
}

# The last line of a reply (RFC 5321, section 4.2.1).
sub reply {
    my ($session) = @_;
    while (defined(my $line = <$session>)) {
        return $line if $line =~ /^\d{3}(?: |\r)/;
    }
    die "hung up\n";
}

sub ask {
    my ($session, $words) = @_;
    print {$session} "$words\r\n" or die "hung up\n";
    my $reply = reply($session);
    $reply =~ /^2/ or die "refused: $reply";
    return;
}

# As far as the server can be without knowing whether the password is right: the session, and why there is none.
sub begin {
    my ($user, $password) = @_;
    my $session;
    my (undef, $why) = in_time(sub {
        $session = IO::Socket::IP->new(PeerHost => $address, PeerPort => $port) or die "no connection\n";
        reply($session) =~ /^2/ or die "hung up\n";
        ask($session, "EHLO $host");
        ask($session, 'STARTTLS');
        IO::Socket::SSL->start_SSL($session, SSL_hostname => $host, SSL_verifycn_name => $host, SSL_verifycn_scheme => 'smtp')
            or die "no trust\n";
        ask($session, "EHLO $host");
        print {$session} 'AUTH PLAIN ', encode_base64("\0$user\0$password", ''), "\r\n" or die "hung up\n";
    });
    return ($session, $why);
}

sub end {
    my ($session, $why) = @_;
    return $why eq "no trust\n" ? 'no trust' : 'no connection' if $why || !$session;
    my ($reply) = in_time(sub { reply($session) });
    close $session;
    # 454: the server could not ask whether the password is right.
    return $reply =~ /^235/ ? 'accepted' : $reply =~ /^535/ ? 'refused' : 'no connection';
}

my @asked = map { chomp; [split / /, $_, 3] } <STDIN>;
while (my @some = splice @asked, 0, AT_ONCE) {
    my @sessions = map { [begin($_->[1], $_->[2])] } @some;
    print "$some[$_][0] ", end(@{ $sessions[$_] }), "\n" for 0 .. $#some;
}
