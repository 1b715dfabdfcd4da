# How amavis reads base64: on behind padding, as mail programs do. Its own decoder (MIME::Decoder::Base64) ends there,
# and nobody would look at what stands behind it. 50-user loads this.
use strict;
use warnings;
require MIME::Decoder::Base64;
use MIME::Base64 qw(decode_base64);

no warnings 'redefine';
*MIME::Decoder::Base64::decode_it = sub {
  my ($self, $in, $out) = @_;
  my $text = '';
  while (defined(my $line = $in->getline)) {
    $line =~ tr{A-Za-z0-9+/=}{}cd;
    $text .= $line;
    while (1) {
      my $end = index $text, '=';
      $end = length $text if $end < 0;
      $out->print(decode_base64(substr $text, 0, $end - $end % 4, ''));
      $end %= 4;  # up to three characters are left, and maybe a =
      last if length $text == $end;
      if ($end < 2) {  # padding has no place here: it is passed over
        substr $text, $end, 1, '';
        next;
      }
      $text =~ s/=+/=/;
      last if length $text == $end + 1;  # the next line may go on with padding
      $out->print(decode_base64(substr $text, 0, $end + 1, ''));
    }
  }
  $out->print(decode_base64($text));
  return 1;
};
1;
