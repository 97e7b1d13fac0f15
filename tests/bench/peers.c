// What the benchmarks' kernels are measured against, one thread. Prints bytes or floating-point operations a second, the median of samples.
//
//   peers crc32-libdeflate|crc32-isal|crc32-isal-128 BYTES    peers sgemm|dgemm ORDER    peers triad BYTES
#include <cblas.h>
#include <isa-l/crc.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SAMPLES = 15 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// What is computed is used, so that the compiler leaves nothing out.
static volatile double sink;

static size_t n;
static unsigned char *bytes;
static float *sa, *sb, *sc;
static double *da, *db, *dc;

static double crc_libdeflate(void) { sink += libdeflate_crc32(0, bytes, n); return n; }
static double crc_isal(void) { sink += crc32_gzip_refl(0, bytes, n); return n; }

#ifdef __x86_64__
// Its way by vectors of 128 bits, which is what the Slave has; the one above takes the widest that this processor offers.
uint32_t crc32_gzip_refl_by8(uint32_t start, const unsigned char *from, uint64_t length);
static double crc_isal_128(void) { sink += crc32_gzip_refl_by8(0, bytes, n); return n; }
#else
#define crc_isal_128 crc_isal
#endif

static double sgemm(void) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, sa, n, sb, n, 0, sc, n);
  return 2.0 * n * n * n;
}

static double dgemm(void) {
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, da, n, db, n, 0, dc, n);
  return 2.0 * n * n * n;
}

// McCalpin's STREAM, "triad", as it stands there.
static double triad(void) {
  for (size_t j = 0; j < n; j++) da[j] = db[j] + 3.0 * dc[j];
  sink += da[n / 2];
  return 24.0 * n;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  double (*run)(void) = NULL;
  n = strtoull(argv[2], NULL, 10);
  if (strncmp(argv[1], "crc32", 5) == 0) {
    bytes = malloc(n);
    for (size_t i = 0; i < n; i++) bytes[i] = rand();
    run = strcmp(argv[1], "crc32-isal") == 0 ? crc_isal : strcmp(argv[1], "crc32-isal-128") == 0 ? crc_isal_128 : crc_libdeflate;
  } else if (strcmp(argv[1], "sgemm") == 0) {
    sa = malloc(n * n * sizeof *sa), sb = malloc(n * n * sizeof *sb), sc = malloc(n * n * sizeof *sc);
    for (size_t i = 0; i < n * n; i++) sa[i] = rand() / (float)RAND_MAX, sb[i] = rand() / (float)RAND_MAX;
    run = sgemm;
  } else if (strcmp(argv[1], "dgemm") == 0) {
    da = malloc(n * n * sizeof *da), db = malloc(n * n * sizeof *db), dc = malloc(n * n * sizeof *dc);
    for (size_t i = 0; i < n * n; i++) da[i] = rand() / (double)RAND_MAX, db[i] = rand() / (double)RAND_MAX;
    run = dgemm;
  } else if (strcmp(argv[1], "triad") == 0) {
    n /= 24;
    da = malloc(n * sizeof *da), db = malloc(n * sizeof *db), dc = malloc(n * sizeof *dc);
    for (size_t i = 0; i < n; i++) da[i] = 0, db[i] = i, dc[i] = n - i;
    run = triad;
  } else {
    return 2;
  }
  long times = 1;
  for (double took = 0; took < 1; times *= took < 0.1 ? 4 : 1) { // a second of warming up
    double began = now();
    for (long i = 0; i < times; i++) run();
    took = now() - began < 0.1 ? 0 : took + now() - began;
  }
  double samples[SAMPLES];
  for (int s = 0; s < SAMPLES; s++) {
    double began = now(), work = 0;
    for (long i = 0; i < times; i++) work += run();
    samples[s] = work / (now() - began);
  }
  qsort(samples, SAMPLES, sizeof *samples, ascending);
  printf("%.0f\n", samples[SAMPLES / 2]);
  return 0;
}
