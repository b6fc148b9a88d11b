#if (1 ? -2 : ~3) + 4 * 5 / 0 % 6 << 7 >= 8 & 9 ^ 10 | 11 || !(12 - 'a')
#if A && B || C && D || !(E && (F || G))
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#else
#if __has_attribute(__x__)
#elif 18446744073709551615u > -9223372036854775807LL
