# forged_send.pl PORT ROUNDS: sends datagrams from any source address, forged ones too.
# stdin: lines "NUMBER SOURCE TARGET"; in each round all of them in their order, a tenth of a second between rounds.
# IP_TRANSPARENT (ip(7)) lets a socket take an address that is not the machine's; it needs CAP_NET_ADMIN.
use strict;
use warnings;
use Socket qw(:all);
use constant { IP_TRANSPARENT => 19, IPV6_TRANSPARENT => 75 };

my ($port, $rounds) = @ARGV;

sub address {
    my ($text, $number) = @_;
    return $text =~ /:/ ? pack_sockaddr_in6($number, inet_pton(AF_INET6, $text))
                        : pack_sockaddr_in($number, inet_pton(AF_INET, $text));
}

my @sends;
while (my $line = <STDIN>) {
    my ($number, $source, $target) = split ' ', $line;
    my $is6 = $source =~ /:/;
    socket(my $socket, $is6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0) or die "socket: $!\n";
    my ($level, $option) = $is6 ? (IPPROTO_IPV6, IPV6_TRANSPARENT) : (IPPROTO_IP, IP_TRANSPARENT);
    setsockopt($socket, $level, $option, 1) or die "transparent: $!\n";
    bind($socket, address($source, 0)) or die "$source: $!\n";
    push @sends, [$socket, address($target, $port), $number];
}
for (1 .. $rounds) {
    send($_->[0], $_->[2], 0, $_->[1]) for @sends;
    select(undef, undef, undef, 0.1);
}
