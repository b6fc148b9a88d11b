#ifndef _A_H
#define _A_H
#if defined(CONFIG_A) && (!defined CONFIG_B || IS_ENABLED(CONFIG_C))
#elif CONFIG_D > 3 && 0x10 == 16
#else
# ifdef __ASSEMBLY__
# elifdef X
# endif
#endif
#if 0
#elif 1
#endif
#endif
#endif
