# sweep_mailboxes.pl MARK SECONDS FILE...: removes the messages that have MARK in their text from mailboxes (mbox).
# A mailbox without one is not touched; in the others, every other message stays as it is, byte for byte. stdin: the names
# of the mailboxes that were there before the run; another one that is empty is removed.
# Locked by FILE.lock, as Postfix does before it opens a mailbox (mailbox_delivery_lock, postconf(5)), and as pop3d
# does. stdout: a line for each mailbox that could not be had in SECONDS.
use strict;
use warnings;
use Fcntl;

my ($mark, $seconds, @files) = @ARGV;
my %before = map { chomp; $_ => 1 } <STDIN>;

sub text_of {
    my ($file) = @_;
    open(my $in, '<:raw', $file) or return '';
    local $/;
    return <$in> // '';
}

sub is_locked {
    my ($lock) = @_;
    for (0 .. $seconds * 10) {
        return 1 if sysopen(my $made, $lock, O_CREAT | O_EXCL | O_WRONLY, 0600);
        select(undef, undef, undef, 0.1);
    }
    return 0;
}

# All or nothing: the new file takes the old one's place when it is complete.
sub is_replaced {
    my ($file, $user, $group, $mode, @messages) = @_;
    my $new = "$file.sweep";
    open(my $out, '>:raw', $new) or return 0;
    my $is_written = chown($user, $group, $new) && chmod($mode, $new) && print {$out} @messages;
    return 1 if close($out) && $is_written && rename($new, $file);
    my $why = $!;
    unlink $new;
    $! = $why;
    return 0;
}

sub is_new { return !$before{$_[0] =~ s|.*/||r} }

for my $file (grep { -f $_ && (index(text_of($_), $mark) >= 0 || -z $_ && is_new($_)) } @files) {
    if (!is_locked("$file.lock")) { print "$file is in use: its messages of this run stay there\n"; next }
    my (undef, undef, $mode, undef, $user, $group) = stat $file;
    # Postfix writes ">From " where a line of a text begins with "From ": this is where a message begins.
    my @kept = grep { index($_, $mark) < 0 } split /(?<=\n\n)(?=From )/, text_of($file);
    my $is_done = !@kept && is_new($file) ? unlink $file : is_replaced($file, $user, $group, $mode & 07777, @kept);
    print "$file: $!\n" unless $is_done;
    unlink "$file.lock";
}
