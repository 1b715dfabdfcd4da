# relay_probe.pl SECONDS: asks mail servers in RCPT whether they would take messages; none is sent. perl's base modules
# are on every machine of the lab.
# stdin: lines "NUMBER SOURCE TARGET SENDER RECIPIENT", those of one SOURCE and TARGET together; stdout: lines
# "NUMBER accepted", or "NUMBER CODE" with the refusal's code, or "NUMBER no answer". A server that has not answered in
# SECONDS is asked nothing more.
use strict;
use warnings;
use IO::Socket::IP;
# A server may be slow after so many refusals in one session (smtpd_soft_error_limit, postconf(5)).
use constant REFUSALS => 2;
$| = 1;

my $seconds = shift;
my ($session, $before, $refusals, %silent) = (undef, '', 0);

# The last line of a reply; without one, the session is over.
sub reply {
    while (my $line = <$session>) {
        return $line if $line =~ /^\d{3}(?: |\r)/;
    }
    die "hung up\n";
}

sub say_it {
    print {$session} "$_[0]\r\n" or die "hung up\n";
    return reply();
}

# Good is 2xx; else the enhanced status code, or the digits of a reply that has none.
sub answer {
    my ($reply) = @_;
    return $reply =~ /^2/ ? 'accepted' : $reply =~ /^\d{3} ([245]\.\d+\.\d+)\b/ ? $1 : substr($reply, 0, 3);
}

sub ask {
    my ($source, $target, $sender, $recipient) = @_;
    local $SIG{ALRM} = sub { die "late\n" };
    alarm $seconds;
    if (!$session) {
        $session = IO::Socket::IP->new(LocalHost => $source, PeerHost => $target, PeerPort => 25) or die "no connection\n";
        my $greeting = reply();
        return answer($greeting) unless $greeting =~ /^2/;
        say_it('EHLO verify.invalid');
        $refusals = 0;
    }
    my $reply = say_it("MAIL FROM:$sender");
    $reply = say_it("RCPT TO:$recipient") if $reply =~ /^2/;
    $refusals++ unless $reply =~ /^2/;
    say_it('RSET');
    alarm 0;
    return answer($reply);
}

while (my $line = <STDIN>) {
    my ($number, $source, $target, $sender, $recipient) = split ' ', $line;
    if ($before ne "$source $target" || $refusals >= REFUSALS) {
        print {$session} "QUIT\r\n" if $session;
        ($session, $before) = (undef, "$source $target");
    }
    my $reply = $silent{$target} ? undef : eval { ask($source, $target, $sender, $recipient) };
    alarm 0;
    if (!defined $reply) {
        $silent{$target} = 1 if $@ eq "late\n";
        undef $session;
    }
    print "$number ", $reply // 'no answer', "\n";
}
print {$session} "QUIT\r\n" if $session;
