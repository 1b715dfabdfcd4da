# port_probe.pl SECONDS: tries TCP connections, all at once. perl's base modules are on every machine of the lab.
# stdin: lines "NUMBER SOURCE TARGET PORT"; stdout: lines "NUMBER accept|refuse|drop|unreachable".
# drop: no answer within SECONDS. No byte is sent over a connection that comes about.
use strict;
use warnings;
use Errno qw(EINPROGRESS ECONNREFUSED);
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use Socket qw(:all);
$| = 1;

my $left = shift;
my (%waiting, $set);

sub address {
    my ($text, $port) = @_;
    return $text =~ /:/ ? (AF_INET6, pack_sockaddr_in6($port, inet_pton(AF_INET6, $text)))
                        : (AF_INET, pack_sockaddr_in($port, inet_pton(AF_INET, $text)));
}

sub report {
    my ($number, $error) = @_;
    my $word = !$error ? 'accept' : $error == ECONNREFUSED ? 'refuse' : 'unreachable';
    print "$number $word\n";
}

while (my $line = <STDIN>) {
    my ($number, $source, $target, $port) = split ' ', $line;
    my ($family, $to) = address($target, $port);
    my (undef, $from) = address($source, 0);
    socket(my $socket, $family, SOCK_STREAM, 0) or die "socket: $!\n";
    bind($socket, $from) or die "$source is no address of this machine: $!\n";
    fcntl($socket, F_SETFL, fcntl($socket, F_GETFL, 0) | O_NONBLOCK);
    if (connect($socket, $to)) { report($number, 0); next }
    if ($! != EINPROGRESS) { report($number, $! + 0); next }
    $waiting{fileno $socket} = [$number, $socket];
    vec($set, fileno($socket), 1) = 1;
}

while (%waiting) {
    my ($ready, $found) = ($set);
    # Linux tells how much of the time is left.
    ($found, $left) = select(undef, $ready, undef, $left);
    last unless $found > 0;
    for my $file (grep { vec($ready, $_, 1) } keys %waiting) {
        my ($number, $socket) = @{ delete $waiting{$file} };
        vec($set, $file, 1) = 0;
        report($number, unpack('i', getsockopt($socket, SOL_SOCKET, SO_ERROR)));
    }
}
print "$_->[0] drop\n" for values %waiting;
