// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * guest: the only program of the machine that tests/kernel/boot starts
 *
 * Runs as /init of an initramfs that holds nothing else but hookstat.ko. Tells on
 * the second serial port what user space sees of the kernel's tracepoints, one fact
 * a line, and resets the machine when it is done:
 *
 *	event SYSTEM:NAME	a line of available_events
 *	dir PATH		a folder below events/
 *	perf ID SYSTEM:NAME	perf_event_open() takes this id, for all ids
 *	raw_tp NAME ANSWER	a BPF program was attached to tracepoint NAME
 *	tprobe NAME ANSWER	root's own event was put on it
 *	fired NAME N		and perf counted N of them during the workload
 *	load ANSWER		hookstat.ko was loaded
 *	after SYSTEM:NAME	available_events again, with the module loaded
 *	unload ANSWER		and unloaded, after the workload
 *	message TEXT		the kernel's messages in between
 *	done
 *
 * ANSWER is "ok" or what errno says. hooks=NAME,NAME... on the kernel's command line
 * are the tracepoints. The workload makes each of them fire, on two CPUs.
 *
 * With check=PATH there, it tells instead of all that what barepoint has to say of the
 * patches at PATH:
 *
 *	barepoint TEXT		a line of it
 *	barepoint_status N	and how it ends
 *
 * With cost=off or cost=on there, it tells what system calls cost, with hookstat.ko
 * loaded or not, instead of all that:
 *
 *	cost OPERATION N	one takes N ns: instructions, if the machine executes
 *				one a nanosecond
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define TRACEFS		"/sys/kernel/tracing"
#define MAX_ID		8192
#define MAX_HOOKS	64
#define MAX_CHILDREN	16
#define CPUS		2

static FILE *report;

static void __attribute__((noreturn)) stop(void)
{
	fflush(report ? report : stdout);
	if (report)
		tcdrain(fileno(report));
	sync();
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(report ? report : stdout, "failed %s: %s\n", what, strerror(errno));
	stop();
}

static const char *answer(long result)
{
	return result < 0 ? strerror(errno) : "ok";
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -1 : 0;
}

static void mount_on(const char *type, const char *where)
{
	mkdir(where, 0755);
	if (mount(type, where, type, 0, NULL))
		fail(where);
}

static void set_up(void)
{
	struct termios raw;

	mount_on("proc", "/proc");
	mount_on("sysfs", "/sys");
	mount_on("tracefs", TRACEFS);
	mount_on("cgroup2", "/sys/fs/cgroup");
	mount_on("tmpfs", "/tmp");
	mknod("/dev/ttyS1", S_IFCHR | 0600, makedev(4, 65));
	mknod("/dev/kmsg", S_IFCHR | 0600, makedev(1, 11));
	report = fopen("/dev/ttyS1", "w");
	if (!report)
		fail("/dev/ttyS1");
	if (!tcgetattr(fileno(report), &raw)) {
		cfmakeraw(&raw);
		tcsetattr(fileno(report), TCSANOW, &raw);
	}
}

static void tell_lines(const char *key, const char *path)
{
	char line[512];
	FILE *file = fopen(path, "r");

	if (!file)
		fail(path);
	while (fgets(line, sizeof(line), file))
		fprintf(report, "%s %s", key, line);
	fclose(file);
}

/* Calls each(system, name) for all entries of events/, folders only */
static void for_each_event(void (*each)(const char *system, const char *name))
{
	DIR *systems = opendir(TRACEFS "/events"), *names;
	struct dirent *system, *name;
	char path[512];

	if (!systems)
		fail(TRACEFS "/events");
	while ((system = readdir(systems))) {
		if (system->d_name[0] == '.' || system->d_type != DT_DIR)
			continue;
		snprintf(path, sizeof(path), TRACEFS "/events/%s", system->d_name);
		names = opendir(path);
		if (!names)
			fail(path);
		each(system->d_name, NULL);
		while ((name = readdir(names)))
			if (name->d_name[0] != '.' && name->d_type == DT_DIR)
				each(system->d_name, name->d_name);
		closedir(names);
	}
	closedir(systems);
}

static void tell_dir(const char *system, const char *name)
{
	fprintf(report, "dir %s%s%s\n", system, name ? "/" : "", name ? name : "");
}

static char *ids[MAX_ID];

static void learn_id(const char *system, const char *name)
{
	char path[512], text[32] = "";
	FILE *file;
	int id;

	if (!name)
		return;
	snprintf(path, sizeof(path), TRACEFS "/events/%s/%s/id", system, name);
	file = fopen(path, "r");
	if (!file)
		return;
	if (fgets(text, sizeof(text), file)) {
		id = atoi(text);
		if (id > 0 && id < MAX_ID &&
		    asprintf(&ids[id], "%s:%s", system, name) < 0)
			fail("asprintf");
	}
	fclose(file);
}

/* All ids are tried, also those that no folder names */
static void tell_perf(void)
{
	for_each_event(learn_id);
	for (int id = 1; id < MAX_ID; id++) {
		struct perf_event_attr attr = {
			.type = PERF_TYPE_TRACEPOINT,
			.size = sizeof(attr),
			.config = id,
		};
		int fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0);

		if (fd < 0)
			continue;
		fprintf(report, "perf %d %s\n", id, ids[id] ?: "unknown");
		close(fd);
	}
}

static void tell_raw_tp(const char *hook)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
		.insns = (unsigned long)code,
		.insn_cnt = 2,
		.license = (unsigned long)"GPL",
	};
	union bpf_attr attach = { .raw_tracepoint.name = (unsigned long)hook };
	int prog = syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	int link;

	if (prog < 0)
		fail("BPF_PROG_LOAD");
	attach.raw_tracepoint.prog_fd = prog;
	link = syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &attach, sizeof(attach));
	fprintf(report, "raw_tp %s %s\n", hook, answer(link));
	if (link >= 0)
		close(link);
	close(prog);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void burn(double seconds)
{
	for (double end = now() + seconds; now() < end; )
		;
}

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Wakeups to and fro: CPU selection, placement, delayed dequeue */
static void ping_pong(void)
{
	int to[2], fro[2];
	char byte = 0;

	if (pipe(to) || pipe(fro))
		_exit(1);
	if (!fork()) {
		while (read(to[0], &byte, 1) == 1 && write(fro[1], &byte, 1) == 1)
			;
		_exit(0);
	}
	while (write(to[1], &byte, 1) == 1 && read(fro[0], &byte, 1) == 1)
		;
}

/* More of it than a CPU's share: throttled and unthrottled */
static void burner_in_group(void)
{
	if (write_file("/sys/fs/cgroup/limited/cgroup.procs", "0"))
		_exit(1);
	for (;;)
		burn(1);
}

/* Work that comes and goes: load balance */
static void sleeper(void)
{
	for (int i = 1; ; i++) {
		burn(0.002 * (i % 5 + 1));
		usleep(500 * (i % 7 + 1));
		if (!fork())
			_exit(0);
		wait(NULL);
	}
}

/* Two of it make CPU 0 overloaded, and can't be pulled */
static void burner_on_cpu0(void)
{
	on_cpu(0);
	for (;;)
		burn(1);
}

/* Leaves CPU 1 idle for long enough that it looks for work each time */
static void visitor_on_cpu1(void)
{
	on_cpu(1);
	for (;;) {
		burn(0.001);
		usleep(20000);
	}
}

/* Walks under RCU that a rename disturbs */
static void renamer(void)
{
	on_cpu(0);
	for (;;) {
		rename("/tmp/a", "/tmp/z");
		rename("/tmp/z", "/tmp/a");
	}
}

static void walker(void)
{
	struct stat s;

	on_cpu(1);
	for (;;)
		stat("/tmp/a/b/f", &s);
}

/* All that the VFS hooks are in, with each outcome that can be had */
static void use_files(void)
{
	char name[64], byte[16] = "0123456789abcde";
	int fd, i;

	mkdir("/tmp/mnt", 0755);
	for (i = 0; ; i++) {
		snprintf(name, sizeof(name), "/tmp/file%d", i);
		open(name, O_RDONLY);			/* negative, failed */
		fd = open(name, O_RDWR | O_CREAT, 0644);
		if (fd < 0)
			_exit(1);
		if (write(fd, byte, sizeof(byte)) < 0 ||
		    read(fd, byte, sizeof(byte)) < 0 ||	/* nothing */
		    pread(fd, byte, sizeof(byte), 0) < 0 || fsync(fd))
			_exit(1);
		close(fd);
		unlink(name);				/* deleted */
		snprintf(name, sizeof(name), "/proc/%d/stat", getpid());
		fd = open(name, O_RDONLY);		/* positive */
		read(fd, byte, sizeof(byte));
		close(fd);
		fd = open("/tmp", O_RDONLY);
		syscall(SYS_faccessat2, fd, "", F_OK, AT_EMPTY_PATH);
		close(fd);
		mount("tmpfs", "/tmp/mnt", "tmpfs", 0, NULL);
		close(open("/tmp/mnt/kept", O_WRONLY | O_CREAT, 0644));
		umount("/tmp/mnt");			/* uncached */
		usleep(1000);
	}
}

static pid_t children[MAX_CHILDREN];
static int n_children;

static void start(void (*work)(void))
{
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (!child) {
		setpgid(0, 0);
		work();
		_exit(0);
	}
	setpgid(child, child);
	children[n_children++] = child;
}

static void stop_all(void)
{
	for (int i = 0; i < n_children; i++)
		kill(-children[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	n_children = 0;
}

/* A part with both CPUs busy, and one in which there is little to do for one */
static void workload(int seconds)
{
	start(ping_pong);
	start(burner_in_group);
	start(burner_in_group);
	start(sleeper);
	start(sleeper);
	start(sleeper);
	start(renamer);
	start(walker);
	start(use_files);
	sleep(seconds);
	stop_all();
	start(burner_on_cpu0);
	start(burner_on_cpu0);
	start(visitor_on_cpu1);
	sleep(2);
	stop_all();
}

static void prepare_workload(void)
{
	int fd;

	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+cpu");
	mkdir("/sys/fs/cgroup/limited", 0755);
	if (write_file("/sys/fs/cgroup/limited/cpu.max", "10000 100000"))
		fail("cpu.max");
	mkdir("/tmp/a", 0755);
	mkdir("/tmp/a/b", 0755);
	fd = open("/tmp/a/b/f", O_WRONLY | O_CREAT, 0644);
	if (fd < 0)
		fail("/tmp/a/b/f");
	close(fd);
}

/* The id of root's own event on the hook, or -1 */
static int id_of_tprobe(const char *hook)
{
	char path[512], text[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), TRACEFS "/events/barepoint/%s/id", hook);
	file = fopen(path, "r");
	if (!file)
		return -1;
	if (!fgets(text, sizeof(text), file))
		text[0] = 0;
	fclose(file);
	return text[0] ? atoi(text) : -1;
}

static void count_on(int counters[CPUS], int id)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = id,
	};

	for (int cpu = 0; cpu < CPUS; cpu++) {
		counters[cpu] = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, 0);
		if (counters[cpu] < 0)
			fail("perf_event_open");
	}
}

static unsigned long long counted(int counters[CPUS])
{
	unsigned long long sum = 0, count;

	for (int cpu = 0; cpu < CPUS; cpu++) {
		if (read(counters[cpu], &count, sizeof(count)) != sizeof(count))
			fail("perf counter");
		close(counters[cpu]);
		sum += count;
	}
	return sum;
}

/* An event of root's own on each: made, counted by perf, removed */
static void tell_tprobes(char *const hooks[], int n)
{
	int counters[MAX_HOOKS][CPUS];
	char text[256];

	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "t:barepoint/%s %s", hooks[i], hooks[i]);
		int result = write_file(TRACEFS "/dynamic_events", text);

		fprintf(report, "tprobe %s %s\n", hooks[i], answer(result));
		if (result)
			fail(text);
		count_on(counters[i], id_of_tprobe(hooks[i]));
	}
	workload(4);
	for (int i = 0; i < n; i++) {
		fprintf(report, "fired %s %llu\n", hooks[i], counted(counters[i]));
		snprintf(text, sizeof(text), "-:barepoint/%s", hooks[i]);
		if (write_file(TRACEFS "/dynamic_events", text))
			fail(text);
	}
}

static void tell_messages(int kmsg)
{
	char record[8192], *text, *end;
	ssize_t n;

	while ((n = read(kmsg, record, sizeof(record) - 1)) > 0) {
		record[n] = 0;
		text = strchr(record, ';');
		end = text ? strchr(text, '\n') : NULL;
		if (end)
			fprintf(report, "message %.*s\n", (int)(end - text - 1), text + 1);
	}
}

static void tell_module(void)
{
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK), module, result;

	lseek(kmsg, 0, SEEK_END);
	module = open("/hookstat.ko", O_RDONLY);
	if (module < 0)
		fail("/hookstat.ko");
	result = syscall(SYS_finit_module, module, "", 0);
	fprintf(report, "load %s\n", answer(result));
	if (!result) {
		tell_lines("after", TRACEFS "/available_events");
		workload(6);
		result = syscall(SYS_delete_module, "hookstat", 0);
		fprintf(report, "unload %s\n", answer(result));
	}
	tell_messages(kmsg);
}

static int cost_file, cost_pipe[2][2];

static void cost_read(void)
{
	char byte;

	if (pread(cost_file, &byte, 1, 0) != 1)
		fail("pread");
}

static void cost_write(void)
{
	if (pwrite(cost_file, "", 1, 0) != 1)
		fail("pwrite");
}

static void cost_open(void)
{
	int fd = open("/tmp/a/b/f", O_RDONLY);

	if (fd < 0 || close(fd))
		fail("/tmp/a/b/f");
}

/* tmpfs keeps no negative dentries: each is looked up again */
static void cost_miss(void)
{
	struct stat s;

	if (!stat("/tmp/a/b/none", &s))
		fail("/tmp/a/b/none");
}

static void cost_fsync(void)
{
	if (fsync(cost_file))
		fail("fsync");
}

static void cost_create(void)
{
	int fd = open("/tmp/a/b/new", O_WRONLY | O_CREAT, 0644);

	if (fd < 0 || close(fd) || unlink("/tmp/a/b/new"))
		fail("/tmp/a/b/new");
}

/* Two switches, two wakeups */
static void cost_ping(void)
{
	char byte = 0;

	if (write(cost_pipe[0][1], &byte, 1) != 1 || read(cost_pipe[1][0], &byte, 1) != 1)
		fail("pipe");
}

static void cost_fork(void)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	if (waitpid(child, NULL, 0) != child)
		fail("fork");
}

static void echo(void)
{
	char byte;

	while (read(cost_pipe[0][0], &byte, 1) == 1 && write(cost_pipe[1][1], &byte, 1) == 1)
		;
}

static void tell_cost(const char *state)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} operations[] = {
		{ "read", cost_read }, { "write", cost_write }, { "open+close", cost_open },
		{ "stat-missing", cost_miss }, { "fsync", cost_fsync },
		{ "create+unlink", cost_create }, { "ping-pong", cost_ping },
		{ "fork+exit", cost_fork },
	};
	enum { TIMES = 2000 };

	cost_file = open("/tmp/a/b/f", O_RDWR);
	if (cost_file < 0 || pipe(cost_pipe[0]) || pipe(cost_pipe[1]))
		fail("cost");
	cost_write();
	start(echo);
	if (!strcmp(state, "on") &&
	    syscall(SYS_finit_module, open("/hookstat.ko", O_RDONLY), "", 0))
		fail("/hookstat.ko");
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		double least = 1;

		for (int round = 0; round < 5; round++) {
			double begin = now(), took;

			for (int n = 0; n < TIMES; n++)
				operations[i].run();
			took = (now() - begin) / TIMES;
			if (took < least)
				least = took;
		}
		fprintf(report, "cost %s %.0f\n", operations[i].name, least * 1e9);
	}
}

/* A program that needs no library runs wherever the kernel does */
static void tell_barepoint(const char *patches)
{
	char line[512];
	int ends[2], status;
	FILE *said;

	if (pipe(ends))
		fail("pipe");
	if (!fork()) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		execl("/barepoint", "barepoint", "check", patches, NULL);
		_exit(127);
	}
	close(ends[1]);
	said = fdopen(ends[0], "r");
	while (fgets(line, sizeof(line), said))
		if (line[0] != '\n')
			fprintf(report, "barepoint %s", line);
	fclose(said);
	wait(&status);
	fprintf(report, "barepoint_status %d\n",
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int main(void)
{
	char *hooks[MAX_HOOKS], *names = getenv("hooks"), *cost = getenv("cost");
	char *patches = getenv("check");
	int n = 0;

	set_up();
	prepare_workload();
	if (cost) {
		tell_cost(cost);
		fprintf(report, "done\n");
		stop();
	}
	if (patches) {
		tell_barepoint(patches);
		fprintf(report, "done\n");
		stop();
	}
	for (char *name = strtok(names, ","); name && n < MAX_HOOKS;
	     name = strtok(NULL, ","))
		hooks[n++] = name;

	tell_lines("event", TRACEFS "/available_events");
	for_each_event(tell_dir);
	tell_perf();
	for (int i = 0; i < n; i++)
		tell_raw_tp(hooks[i]);
	tell_tprobes(hooks, n);
	tell_module();
	fprintf(report, "done\n");
	stop();
}
