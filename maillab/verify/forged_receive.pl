# forged_receive.pl PORT SECONDS NUMBER...: takes datagrams "NUMBER", and says on stdout when it does ("ready").
# When stdin ends, all have been sent: it waits SECONDS at most until each NUMBER it was given has come, and without a
# NUMBER for all of them.
# stdout then: the number of each datagram that came, once.
use strict;
use warnings;
use Socket qw(:all);
$| = 1;

my ($port, $patience, @wanted) = @ARGV;
my ($set, %came, @sockets, $left) = ('');
for my $family (AF_INET, AF_INET6) {
    socket(my $socket, $family, SOCK_DGRAM, 0) or die "socket: $!\n";
    setsockopt($socket, IPPROTO_IPV6, IPV6_V6ONLY, 1) if $family == AF_INET6;
    my $any = $family == AF_INET ? pack_sockaddr_in($port, INADDR_ANY) : pack_sockaddr_in6($port, IN6ADDR_ANY);
    bind($socket, $any) or die "port $port: $! (is another proof running?)\n";
    vec($set, fileno($socket), 1) = 1;
    push @sockets, $socket;
}
vec($set, fileno(STDIN), 1) = 1;
print "ready\n";
while (1) {
    # Once stdin has ended, what lies there already is read without waiting.
    my $wait = !defined $left ? undef : (!@wanted || grep { !$came{$_} } @wanted) ? $left : 0;
    my ($ready, $found) = ($set);
    ($found, $wait) = select($ready, undef, undef, $wait);
    last if $found <= 0;
    $left = $wait if defined $left && $wait;
    for my $socket (grep { vec($ready, fileno $_, 1) } @sockets) {
        recv($socket, my $number, 64, 0);
        $came{$number} = 1 if $number =~ /^\d+$/;
    }
    if (!defined $left && vec($ready, fileno(STDIN), 1)) {
        sysread(STDIN, my $nothing, 64) and next;
        vec($set, fileno(STDIN), 1) = 0;
        $left = $patience;
    }
}
print "$_\n" for keys %came;
