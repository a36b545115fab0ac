# Starts the native programs of a keeper, each in the namespaces of its job: one process that forks and becomes the
# program, where tools would replace each other. Run by `launcher-process.ts`, which says the form of orders and
# answers. It loads no module but strict, so that little is copied with each fork, and dies with its keeper.
use strict;

my ($keeper, $architecture) = @ARGV;
my %numbers = (
    x64 => {
        clone => 56, dup3 => 292, execve => 59, exit => 231, mask => 14, prctl => 157, prlimit => 302,
        setns => 308, setsid => 112, signalfd => 289,
    },
    arm64 => {
        clone => 220, dup3 => 24, execve => 221, exit => 94, mask => 135, prctl => 167, prlimit => 261,
        setns => 268, setsid => 157, signalfd => 74,
    },
);
my $call = $numbers{$architecture // ''};
exit 1 if !defined $call || length(pack 'p', '') != 8;

my ($HERE, $STARTED, $FAILED, $ENDED) = (0, 1, 2, 3);
my ($READ, $WRITE) = (0, 1);
my ($CORE, $FILE, $DATA, $TASKS) = (4, 1, 2, 6);
my ($DEATH_SIGNAL, $SIGKILL, $SIGCHLD) = (1, 9, 17);
my ($SET_MASK, $ALL, $NONE) = (2, "\xff" x 8, "\0" x 8);
my $SAME_PARENT = 0x8000;
my $ENOEXEC = 8;
my $NO_HANG = 1;
my $NULL = "\0" x 8;

# Perl ignores it, and a program would inherit that.
$SIG{FPE} = 'DEFAULT';
# What is sent to the whole group of the keeper is not for this one; a child takes the mask off.
syscall $call->{mask}, $SET_MASK, $ALL, 0, 8;
syscall $call->{prctl}, $DEATH_SIGNAL, $SIGKILL, 0, 0, 0;
exit 0 if getppid != $keeper;
# All that is opened from here on closes where a program begins.
open my $answers, '>&', \*STDOUT or exit 1;
open my $null, '<', '/dev/null' or exit 1;
my $chld = pack 'Q', 1 << ($SIGCHLD - 1);
my $signals = syscall $call->{signalfd}, -1, $chld, 8, 02004000;
exit 1 if $signals < 0;
open my $ends, '<&=', $signals or exit 1;

my %run_of;

# The ends of pipes that the keeper has not opened itself yet, by their numbers.
my %held;

sub answer {
    my ($kind, $run, $value, $out, $err) = @_;
    syswrite $answers, pack 'N5', $kind, $run, $value, $out // 0, $err // 0;
}

# In a child: says why it does not become its program, and ends.
sub give_up {
    my ($run) = @_;
    answer $FAILED, $run, $! + 0;
    syscall $call->{exit}, 1;
}

sub bound {
    my ($resource, $most) = @_;
    return if $most eq '';
    my $both = pack 'Q2', $most, $most;
    # Refused where it would be more than what this process has, which then is the bound.
    syscall $call->{prlimit}, 0, $resource, $both, 0;
}

sub pointers {
    return pack('p*', @_) . $NULL;
}

# In the child: becomes the program. `$order` as it was sent, `$open` what was opened for it.
sub become {
    my ($order, $open, $args, $env) = @_;
    my ($run, $directory, $file_bytes, $data_bytes, $tasks) = @{$order}{qw(run directory file data tasks)};
    syscall($call->{dup3}, fileno $open->{$_->[0]}, $_->[1], 0) < 0 and give_up $run
        for ['null', 0], ['out', 1], ['err', 2];
    syscall($call->{setns}, fileno $open->{mount}, 0) < 0 and give_up $run;
    # So that what it sends to its process group stays inside.
    syscall $call->{setsid};
    syscall $call->{prctl}, $DEATH_SIGNAL, $SIGKILL, 0, 0, 0;
    # In there, so that the job also sees by a relative path what it mounts.
    chdir $directory or give_up $run;
    bound $CORE, 0;
    bound $FILE, $file_bytes;
    bound $DATA, $data_bytes;
    bound $TASKS, $tasks;
    my ($program, $argv, $envp) = ($args->[0], pointers(@$args), pointers(@$env));
    syscall $call->{mask}, $SET_MASK, $NONE, 0, 8;
    syscall $call->{execve}, $program, $argv, $envp;
    if ($! == $ENOEXEC) {
        my ($shell, @line) = ('/bin/sh', '/bin/sh', @$args);
        $argv = pointers @line;
        syscall $call->{execve}, $shell, $argv, $envp;
    }
    give_up $run;
}

# For a namespace of an ordinary user, whose user namespace comes first and cannot be left again: a process between
# joins both and starts the child, which is this one's all the same. Returns its pid.
sub through_user_namespace {
    my ($run, $open, $child) = @_;
    pipe my $said, my $say or return undef;
    my $between = fork;
    return undef if !defined $between;
    if ($between == 0) {
        for my $place ('user', 'pid') {
            syscall($call->{setns}, fileno $open->{$place}, 0) < 0 and give_up $run;
        }
        my $pid = syscall $call->{clone}, $SAME_PARENT | $SIGCHLD, 0, 0, 0, 0;
        give_up $run if $pid < 0;
        $child->() if $pid == 0;
        syswrite $say, pack 'N', $pid;
        syscall $call->{exit}, 0;
    }
    close $say;
    my $read = sysread $said, my $pid, 4;
    waitpid $between, 0;
    return $read == 4 ? unpack 'N', $pid : 0;
}

# Starts a child that writes to `$out` and `$err`. Returns its pid; undef with the reason in $!, or 0 where a child has
# said why there is none.
sub start {
    my ($order, $args, $env, $out, $err) = @_;
    my %open = (null => $null, out => $out, err => $err);
    my %place = (
        pid => [$READ, "/proc/$order->{init}/ns/pid"],
        mount => [$READ, "/proc/$order->{init}/ns/mnt"],
    );
    $place{user} = [$READ, "/proc/$order->{init}/ns/user"] if $order->{user};
    $place{group} = [$WRITE, "$order->{group}/cgroup.procs"] if $order->{group} ne '';
    for my $name (keys %place) {
        my ($mode, $path) = @{$place{$name}};
        sysopen $open{$name}, $path, $mode or return undef;
    }
    my $child = sub {
        # It is born outside, but no code of the job runs there.
        !$open{group} || defined syswrite $open{group}, '0' or give_up $order->{run};
        become($order, \%open, $args, $env);
    };
    return through_user_namespace($order->{run}, \%open, $child) if $order->{user};
    syscall($call->{setns}, fileno $open{pid}, 0) < 0 and return undef;
    my $pid = fork;
    $child->() if defined $pid && $pid == 0;
    return $pid;
}

sub obey {
    my %order;
    (@order{qw(run init user group directory file data tasks count)}, my @texts) = @_;
    my @args = splice @texts, 0, $order{count};
    my ($from_out, $out, $from_err, $err);
    my $pid = pipe($from_out, $out) && pipe($from_err, $err)
        ? start(\%order, \@args, \@texts, $out, $err) : undef;
    if (!defined $pid) {
        answer $FAILED, $order{run}, $! + 0;
    } elsif ($pid != 0) {
        $run_of{$pid} = $order{run};
        $held{fileno $_} = $_ for $from_out, $from_err;
        answer $STARTED, $order{run}, $pid, fileno $from_out, fileno $from_err;
    }
}

my ($input, $both) = ('', '');
vec($both, $_, 1) = 1 for 0, $signals;
while (1) {
    select my $ready = $both, undef, undef, undef;
    if (vec $ready, $signals, 1) {
        sysread $ends, my $taken, 4096;
        while ((my $pid = waitpid -1, $NO_HANG) > 0) {
            my $run = delete $run_of{$pid};
            answer $ENDED, $run, $? if defined $run;
        }
    }
    next if !vec $ready, 0, 1;
    sysread STDIN, $input, 65536, length $input or exit 0;
    while (length $input >= 4 && length $input >= (my $end = 4 + unpack 'N', $input)) {
        my $order = substr $input, 4, $end - 4;
        substr $input, 0, $end, '';
        my ($kind, @fields) = unpack '(N/a*)*', $order;
        if ($kind eq 'start') { obey(@fields) }
        elsif ($kind eq 'opened') { delete @held{@fields} }
        else { answer $HERE, 0, 0 }
    }
}
