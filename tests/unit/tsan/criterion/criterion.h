/* tests/unit/tsan/criterion/criterion.h - as much of Criterion as our tests use, for TSan.
 *
 * Criterion keeps its tests in an arena at an address that ThreadSanitizer has taken, and dies
 * before the first of them. This header stands before the real one in the tsan variant: each
 * test runs in a process of its own, one after the other, and says so only when it fails. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What Test() may be told of. */
typedef struct shim_options {
	void (*init)(void), (*fini)(void);
	double timeout;
} shim_options_t;

typedef struct shim_test {
	const char *suite, *name;
	void (*run)(void);
	struct shim_test *next;
	shim_options_t options;
} shim_test_t;

__attribute__((weak)) shim_test_t *shim_tests;
__attribute__((weak)) _Atomic int shim_failures;

enum { SHIM_TIMEOUT_S = 240 };

#define TestSuite(suite, ...) _Static_assert(1, #suite)

#define Test(suite_, name_, ...)                                                                   \
	static void suite_##_##name_(void);                                                        \
	__attribute__((constructor)) static void suite_##_##name_##_enter(void)                    \
	{                                                                                          \
		static shim_test_t test = {                                                        \
			#suite_, #name_, suite_##_##name_, NULL, { .timeout = 0, ##__VA_ARGS__ }   \
		};                                                                                 \
		test.next = shim_tests;                                                            \
		shim_tests = &test;                                                                \
	}                                                                                          \
	static void suite_##_##name_(void)

static inline void shim_check(bool ok, bool fatal, const char *what, const char *file, int line)
{
	if (ok)
		return;
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	shim_failures++;
	if (fatal)
		_exit(1);
}

/* The words behind a condition are evaluated by nobody, but their variables count as used. */
#define shim_words(...) ((void)sizeof(printf(" " __VA_ARGS__)))
#define cr_assert(cond, ...)                                                                       \
	(shim_words(__VA_ARGS__), shim_check((cond), true, #cond, __FILE__, __LINE__))
#define cr_expect(cond, ...)                                                                       \
	(shim_words(__VA_ARGS__), shim_check((cond), false, #cond, __FILE__, __LINE__))
#define cr_fatal(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), _exit(1))
/* Nothing has failed before. */
#define cr_skip_test(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(0))
#define cr_log_error(...) ((void)fprintf(stderr, __VA_ARGS__))
#define cr_log_warn(...)  ((void)fprintf(stderr, __VA_ARGS__))

#define shim_is_str(op, a, b)  (strcmp((a), (b)) op 0)
#define shim_is_int(op, a, b)  ((int)(a)op(int)(b))
#define shim_is_uint(op, a, b) ((unsigned)(a)op(unsigned)(b))
#define shim_is_long(op, a, b) ((long)(a)op(long)(b))
#define shim_is_sz(op, a, b)   ((size_t)(a)op(size_t)(b))
#define shim_is_ptr(op, a, b)  ((const void *)(a)op(const void *)(b))
#define shim_is_dbl(op, a, b)  ((double)(a)op(double)(b))
#define shim_is_chr(op, a, b)  ((char)(a)op(char)(b))
#define shim_is_u8(op, a, b)   ((uint8_t)(a)op(uint8_t)(b))
#define shim_is_u16(op, a, b)  ((uint16_t)(a)op(uint16_t)(b))
#define shim_is_u32(op, a, b)  ((uint32_t)(a)op(uint32_t)(b))
#define shim_is_u64(op, a, b)  ((uint64_t)(a)op(uint64_t)(b))
#define shim_is_i64(op, a, b)  ((int64_t)(a)op(int64_t)(b))
#define eq(tag, a, b)          shim_is_##tag(==, a, b)
#define ne(tag, a, b)          shim_is_##tag(!=, a, b)
#define lt(tag, a, b)          shim_is_##tag(<, a, b)
#define le(tag, a, b)          shim_is_##tag(<=, a, b)
#define gt(tag, a, b)          shim_is_##tag(>, a, b)
#define ge(tag, a, b)          shim_is_##tag(>=, a, b)
#define not(a) (!(a))

/* One test in a child; true when it passed. */
static inline bool shim_run(const shim_test_t *test)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		alarm(SHIM_TIMEOUT_S);
		if (test->options.init)
			test->options.init();
		test->run();
		if (test->options.fini)
			test->options.fini();
		exit(shim_failures ? 1 : 0); /* TSan makes it 66 when it found something */
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
		fprintf(stderr, "[FAIL] %s::%s (status %#x)\n", test->suite, test->name, status);
		return false;
	}
	return true;
}

__attribute__((weak)) int main(void);
__attribute__((weak)) int main(void)
{
	unsigned tested = 0, failed = 0;

	for (const shim_test_t *test = shim_tests; test; test = test->next) {
		tested++;
		failed += !shim_run(test);
	}
	fprintf(stderr, "[====] Synthesis: Tested: %u | Passing: %u | Failing: %u\n", tested,
	        tested - failed, failed);
	return failed ? 1 : 0;
}
