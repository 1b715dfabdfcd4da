# smtp_session.pl TARGET PORT SOURCE HELO SECONDS [HOST]: hands messages to a mail server by SMTP (RFC 5321), from the address
# SOURCE ("-": the system chooses). perl's base modules are on every machine of the lab.
# With HOST it encrypts (STARTTLS, RFC 3207; at once on port 465, RFC 8314), if the server's certificate says HOST, and logs in (RFC 4954, PLAIN)
# with the first line of stdin, "USER PASSWORD"; that needs perl's TLS, which machines have that trust the lab's authority.
# stdin, for each message: a line "SENDER RECIPIENT WANTS LENGTH", and LENGTH bytes with CRLF at their lines' ends. WANTS:
# "SMTPUTF8" or "-". stdout, for each reply to message NUMBER (from 0): a line "reply NUMBER CODE STEP", and the reply's
# lines, each behind a blank. CODE 0: no reply came, and the lines say why. A server that can't be reached, or has not
# answered in SECONDS, is asked nothing more.
use strict;
use warnings;
use IO::Socket::IP;
use MIME::Base64;
use constant { MOST_LINES => 100, LONGEST => 2_000, SUBMISSIONS => 465 };
$| = 1;
binmode STDIN;
local $SIG{PIPE} = 'IGNORE';
local $SIG{ALRM} = sub { die "timed out\n" };

my ($target, $port, $source, $helo, $seconds, $host) = @ARGV;
my ($session, $number, $step, $given_up, $login, %offers) = (undef, 0, 'connect', '');

sub note {
    my ($code, @lines) = @_;
    print "reply $number $code $step\n", map { ' ' . substr($_, 0, LONGEST) . "\n" } @lines;
}

# The code of a reply, which may have several lines (RFC 5321, section 4.2.1).
sub reply {
    my @lines;
    alarm $seconds;
    while (defined(my $line = <$session>)) {
        $line =~ s/\r?\n\z//;
        push @lines, $line if @lines < MOST_LINES;
        next unless $line =~ /^(\d{3})(?: |\z)/;
        my $code = $1;
        alarm 0;
        note($code, @lines);
        $offers{uc $_} = 1 for map { /^250[ -](\w+)/ } @lines;
        close_it() if $code eq '421';    # it closes the session (section 3.8)
        return $code;
    }
    alarm 0;
    die "the server closed the connection\n";
}

sub close_it {
    close $session if $session;
    undef $session;
}

sub write_it {
    my ($text) = @_;
    alarm $seconds;
    print {$session} $text or die "the server closed the connection\n";
    alarm 0;
}

# Whether the server said yes (2xx, or 3xx to DATA). A secret goes over the wire only.
sub say_it {
    my $secret;
    ($step, $secret) = @_;
    write_it(defined $secret ? "$step $secret\r\n" : "$step\r\n");
    return reply() =~ /^[23]/;
}

sub encrypt {
    require IO::Socket::SSL;
    alarm $seconds;
    IO::Socket::SSL->start_SSL($session, SSL_hostname => $host, SSL_verifycn_name => $host, SSL_verifycn_scheme => 'smtp')
        or die "no encryption: " . IO::Socket::SSL::errstr() . "\n";
    alarm 0;
    return;
}

sub log_in {
    if ($port != SUBMISSIONS) {
        say_it('STARTTLS') or return;
        encrypt();
        %offers = ();
        say_it("EHLO $helo") or return;
    }
    return say_it('AUTH PLAIN', $login);
}

sub begin {
    $step = 'connect';
    alarm $seconds;
    my @from = $source eq '-' ? () : (LocalHost => $source);
    $session = IO::Socket::IP->new(@from, PeerHost => $target, PeerPort => $port);
    alarm 0;
    if (!$session) {
        $given_up = $@ || $!;
        die "$given_up\n";
    }
    $session->autoflush(1);
    encrypt() if defined $host && $port == SUBMISSIONS;
    %offers = ();
    reply() =~ /^2/ && (say_it("EHLO $helo") || ($session && say_it("HELO $helo"))) or return;
    return !defined $host || log_in();
}

sub hand_in {
    my ($sender, $recipient, $wants, $text) = @_;
    $session || begin() or return close_it();
    if ($wants ne '-' && !$offers{$wants}) {
        $step = "MAIL FROM:$sender";
        die "the server does not offer $wants, and the address needs it\n";
    }
    my $mail = "MAIL FROM:$sender";
    $mail .= ' SIZE=' . length $text if $offers{SIZE};
    $mail .= " $wants" if $wants ne '-';
    if (say_it($mail) && say_it("RCPT TO:$recipient") && say_it('DATA')) {
        $text =~ s/^\./../mg;
        $step = '.';
        write_it("$text.\r\n");
        reply();
    }
    elsif ($session) {
        write_it("RSET\r\n");
        <$session>;
    }
    return;
}

if (defined $host) {
    chomp(my $line = <STDIN>);
    $login = encode_base64("\0" . join("\0", split / /, $line, 2), '');
}
while (defined(my $line = <STDIN>)) {
    my ($sender, $recipient, $wants, $length) = split ' ', $line;
    my $text = '';
    read STDIN, $text, $length;
    if ($given_up) {
        ($step) = 'connect';
        note(0, $given_up);
    }
    elsif (!eval { hand_in($sender, $recipient, $wants, $text); 1 }) {
        my $why = $@;
        alarm 0;
        chomp $why;
        $given_up = $why if $why eq 'timed out';
        note(0, $why);
        close_it();
    }
    $number++;
}
print {$session} "QUIT\r\n" if $session;
