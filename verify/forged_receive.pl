# forged_receive.pl PORT SECONDS NUMBER...: takes datagrams "NUMBER ROUND" until two rounds of every NUMBER have come.
# It takes what comes for SECONDS at most, and without a NUMBER for all of them.
# stdout: the number of each datagram that came, once.
use strict;
use warnings;
use Socket qw(:all);

my ($port, $left, @wanted) = @ARGV;
my ($set, %rounds, @sockets) = ('');
for my $family (AF_INET, AF_INET6) {
    socket(my $socket, $family, SOCK_DGRAM, 0) or die "socket: $!\n";
    setsockopt($socket, IPPROTO_IPV6, IPV6_V6ONLY, 1) if $family == AF_INET6;
    my $any = $family == AF_INET ? pack_sockaddr_in($port, INADDR_ANY) : pack_sockaddr_in6($port, IN6ADDR_ANY);
    bind($socket, $any) or die "port $port: $! (is another proof running?)\n";
    vec($set, fileno($socket), 1) = 1;
    push @sockets, $socket;
}
while (!@wanted || grep { keys %{ $rounds{$_} || {} } < 2 } @wanted) {
    my ($ready, $found) = ($set);
    ($found, $left) = select($ready, undef, undef, $left);
    last if $found <= 0;
    for my $socket (grep { vec($ready, fileno $_, 1) } @sockets) {
        recv($socket, my $text, 64, 0);
        my ($number, $round) = split ' ', $text;
        $rounds{$number}{$round} = 1;
    }
}
print "$_\n" for keys %rounds;
