# pop3_session.pl ADDRESS PORT SECONDS: looks into a mailbox by POP3 (RFC 1939). perl's base modules are on every machine
# of the lab.
# stdin: a line with the user's name, a line with the password, and a line "list MOST" (the headers of the last MOST
# messages), "get NUMBER" or "delete NUMBER". stdout: "total NUMBER" of messages in the mailbox, then for each message
# "message NUMBER SIZE BYTES": what the server gave of it, in hexadecimal digits; at last "done". When something goes
# wrong instead "error STEP", and a line with the reason.
use strict;
use warnings;
use IO::Socket::IP;
use constant LARGEST => 64 * 1024 * 1024;    # bytes of what is read of one message
binmode STDIN;
local $SIG{PIPE} = 'IGNORE';
local $SIG{ALRM} = sub { die "timed out\n" };

my ($address, $port, $seconds) = @ARGV;
my ($session, $step) = (undef, 'connect');

sub line_of {
    my $line = <$session>;
    defined $line or die "the server closed the connection\n";
    $line =~ s/\r?\n\z//;
    return $line;
}

# The words behind +OK.
sub reply {
    alarm $seconds;
    my $line = line_of();
    alarm 0;
    return $1 if $line =~ /^\+OK ?(.*)/;
    $line =~ s/^-ERR ?//;
    die substr($line, 0, 500) . "\n";
}

sub say_it {
    ($step, my $words) = @_;
    alarm $seconds;
    print {$session} "$words\r\n" or die "the server closed the connection\n";
    alarm 0;
    return reply();
}

# Lines up to a dot alone (section 3), each with LF.
sub lines {
    my $text = '';
    alarm $seconds;
    while ((my $line = line_of()) ne '.') {
        $line =~ s/^\.//;
        $text .= "$line\n";
        alarm $seconds;
        die "the message is too large to be shown\n" if length $text > LARGEST;
    }
    alarm 0;
    return $text;
}

sub show {
    my ($number, $size, $text) = @_;
    print "message $number $size ", unpack('H*', $text), "\n";
}

sub sizes {
    say_it('list', 'LIST');
    return map { /^(\d+) (\d+)/ ? [$1, $2] : () } split /\n/, lines();
}

sub work {
    my ($user, $password, $verb, $number) = @_;
    alarm $seconds;
    $session = IO::Socket::IP->new(PeerHost => $address, PeerPort => $port) or die(($@ || $!) . "\n");
    alarm 0;
    $session->autoflush(1);
    $step = 'greeting';
    reply();
    say_it('user', "USER $user");
    say_it('login', "PASS $password");
    my @there = sizes();
    print 'total ', scalar @there, "\n";
    if ($verb eq 'list') {
        splice @there, 0, @there - $number if @there > $number;
        for (@there) {
            say_it('top', "TOP $_->[0] 0");
            show(@{$_}, lines());
        }
    }
    else {
        my ($one) = grep { $_->[0] == $number } @there;
        $step = 'number';
        $one or die "no such message\n";
        say_it('get', "RETR $number");
        show(@{$one}, lines());
        say_it('delete', "DELE $number") if $verb eq 'delete';
    }
    say_it('quit', 'QUIT');    # only now does the server remove what was deleted
    print "done\n";
}

chomp(my ($user, $password, $wanted) = <STDIN>);
if (!eval { work($user, $password, split ' ', $wanted); 1 }) {
    alarm 0;
    print "error $step\n$@";
}
