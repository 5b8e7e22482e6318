/** A seeded generator (sfc32): same seed, same run, on every engine. */
export class Random {
  private a: number;
  private b: number;
  private c = 0;
  private counter = 1;

  /** @param seed - A non-negative integer below 2^53. */
  constructor(seed: number) {
    this.a = seed | 0;
    this.b = Math.floor(seed / 0x1_0000_0000) | 0;
    for (let i = 0; i < 12; i++) this.next();
  }

  /** A uniform unsigned 32-bit integer. */
  next(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    this.c |= 0;
    return sum >>> 0;
  }

  /** An integer in `[0, count)`, without modulo bias worth measuring for small counts. */
  below(count: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * count);
  }

  /** True `numerator` times in `denominator`: a ratio of integers is the same on every engine. */
  chance(numerator: number, denominator: number): boolean {
    return this.below(denominator) < numerator;
  }

  /** An independent generator, so that a draw added to one concern leaves the others' runs alone. */
  fork(concern: number): Random {
    return new Random(this.next() + (concern & 0x1f_ffff) * 0x1_0000_0000);
  }
}
