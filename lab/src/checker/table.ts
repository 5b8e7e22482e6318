/**
 * The fingerprints met so far, in typed arrays: some 20 bytes a state. Each state
 * knows the one it was first reached from, which is all that a path needs.
 */

const FIRST_CAPACITY = 1 << 12;

export class FingerprintTable {
  /** How many states there are. */
  size = 0;
  private low: Int32Array = new Int32Array(FIRST_CAPACITY);
  private high: Int32Array = new Int32Array(FIRST_CAPACITY);
  private parents: Int32Array = new Int32Array(FIRST_CAPACITY);
  /** Open addressing: numbers of states plus one, at most half full. */
  private slots: Int32Array = new Int32Array(2 * FIRST_CAPACITY);

  /** The number of a state that is new, or -1. `parent`: -1 for the first. */
  add(low: number, high: number, parent: number): number {
    const mask = this.slots.length - 1;
    let slot = low & mask;
    for (let found = this.slots[slot]!; found !== 0; found = this.slots[slot]!) {
      if (this.low[found - 1] === low && this.high[found - 1] === high) return -1;
      slot = (slot + 1) & mask;
    }
    const number = this.size++;
    this.slots[slot] = number + 1;
    this.low[number] = low;
    this.high[number] = high;
    this.parents[number] = parent;
    if (this.size === this.low.length) this.grow();
    return number;
  }

  parentOf(state: number): number {
    return this.parents[state]!;
  }

  is(state: number, low: number, high: number): boolean {
    return this.low[state] === low && this.high[state] === high;
  }

  /** The probability that two states shared a fingerprint and one was taken for the other. */
  get collisionProbability(): number {
    return Math.min(1, ((this.size / 2 ** 32) * (this.size / 2 ** 32)) / 2);
  }

  private grow(): void {
    const capacity = 2 * this.low.length;
    this.low = enlarged(this.low, capacity);
    this.high = enlarged(this.high, capacity);
    this.parents = enlarged(this.parents, capacity);
    const mask = 2 * capacity - 1;
    const slots = new Int32Array(mask + 1);
    for (let number = 0; number < this.size; number++) {
      let slot = this.low[number]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number + 1;
    }
    this.slots = slots;
  }
}

function enlarged(array: Int32Array, capacity: number): Int32Array {
  const larger = new Int32Array(capacity);
  larger.set(array);
  return larger;
}
