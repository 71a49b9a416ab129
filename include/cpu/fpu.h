/* The floating point and vector registers (x87, SSE, and what XSAVE adds): who uses them, and how they are saved.
 *
 * The kernel is compiled without them. A thread that asks for them (THREAD_USES_FPU) has an area that holds its
 * registers while it does not run. SDM 1 chapter 13; SDM 3A 2.5, 2.6. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

#define FPU_AREA_ALIGNMENT 64u /* bytes; XSAVE's */

/* What a new thread finds: every exception masked, to nearest, x87 in extended precision. SDM 1 8.1.5, 10.2.3. */
#define FPU_CONTROL_INITIAL 0x37fu
#define FPU_MXCSR_INITIAL   0x1f80u

/* Turns them on, on the boot CPU, and finds out how they are saved. Context: init, after cpu_features_detect. */
void fpu_init(void);

/* The same as on the boot CPU, on another one. Returns 0, or -ENOTSUP where it lacks what the boot CPU has. Context:
 * init. */
MUST_CHECK int fpu_init_cpu(void);

/* "xsaveopt", "xsave" or "fxsave"; the parts of the state that XSAVE keeps, as in XCR0 (0: FXSAVE). Context: any. */
const char *fpu_method(void);
uint64_t fpu_state_mask(void);

/* How large an area is: the same on every CPU. */
size_t fpu_area_bytes(void);

/* An area with the state of a thread that begins. */
void fpu_area_init(void *area);

/* From this CPU's registers into the area, which fpu_restore last loaded here, and back. Context: irq-off. */
void fpu_save(void *area);
void fpu_restore(const void *area);
