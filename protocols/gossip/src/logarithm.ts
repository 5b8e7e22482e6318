/**
 * Logarithms for timing rules. Additions and multiplications give the same bits
 * on every engine; `Math.log` need not, and a run must be the same everywhere.
 */

/** The natural logarithm of a positive finite number. */
export function ln(value: number): number {
  let exponent = 0;
  let mantissa = value;
  while (mantissa >= 1.5) {
    mantissa /= 2;
    exponent++;
  }
  while (mantissa < 0.75) {
    mantissa *= 2;
    exponent--;
  }
  // ln m = 2 artanh((m - 1) / (m + 1)), whose series converges fast for m near 1.
  const ratio = (mantissa - 1) / (mantissa + 1);
  const square = ratio * ratio;
  let power = ratio;
  let sum = 0;
  for (let divisor = 1; divisor < 30; divisor += 2) {
    sum += power / divisor;
    power *= square;
  }
  return exponent * Math.LN2 + 2 * sum;
}

export function log10(value: number): number {
  return ln(value) / Math.LN10;
}

/** ceil(log10(n + 1)): the number of decimal digits of a count. */
export function digits(count: number): number {
  let power = 1;
  let result = 0;
  while (power <= count) {
    power *= 10;
    result++;
  }
  return result;
}

/** ceil(log2 n), for n of at least 1. */
export function doublings(count: number): number {
  let result = 0;
  for (let reach = 1; reach < count; reach *= 2) result++;
  return result;
}
