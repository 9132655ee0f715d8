// JSON as it was written. JSON.parse forgets how numbers and strings were
// spelled, and reorders keys that look like numbers; a page that shows what
// arrived must not.

/** A JSON value: its text as it arrived, its RFC 6901 pointer, and its members or elements. */
export interface Value {
  readonly text: string;
  readonly pointer: string;
  readonly kind: 'object' | 'array' | 'string' | 'number' | 'word';
  readonly children: readonly Member[];
}

/** A member of an object, or an element of an array, which has no key. */
export interface Member {
  readonly keyText: string;
  readonly key: string;
  readonly value: Value;
}

/** Parses text, and throws a SyntaxError where JSON.parse would. */
export function parse(text: string): Value {
  JSON.parse(text); // the judge of what is valid: the reader below trusts its input
  return new Reader(text).value('');
}

/** Returns the value at a path of keys, or undefined. */
export function at(value: Value | undefined, ...path: string[]): Value | undefined {
  for (const key of path) value = value?.children.find((m) => m.key === key)?.value;
  return value;
}

class Reader {
  private i = 0;
  constructor(private readonly text: string) {}

  value(pointer: string): Value {
    this.space();
    const start = this.i;
    const first = this.text[start];
    let kind: Value['kind'] = 'word';
    let children: Member[] = [];
    if (first === '{' || first === '[') {
      kind = first === '{' ? 'object' : 'array';
      children = this.members(kind, pointer);
    } else if (first === '"') {
      kind = 'string';
      this.string();
    } else {
      if (first === '-' || (first! >= '0' && first! <= '9')) kind = 'number';
      while (this.i < this.text.length && !' \t\r\n,]}'.includes(this.text[this.i]!)) this.i++;
    }
    return { text: this.text.slice(start, this.i), pointer, kind, children };
  }

  private members(kind: 'object' | 'array', pointer: string): Member[] {
    const members: Member[] = [];
    const close = kind === 'object' ? '}' : ']';
    this.i++;
    for (this.space(); this.text[this.i] !== close; this.space()) {
      if (this.text[this.i] === ',') {
        this.i++;
        this.space();
      }
      let keyText = '';
      let key = String(members.length);
      if (kind === 'object') {
        keyText = this.string();
        key = JSON.parse(keyText) as string;
        this.space();
        this.i++; // the colon
      }
      const escaped = key.replaceAll('~', '~0').replaceAll('/', '~1');
      members.push({ keyText, key, value: this.value(`${pointer}/${escaped}`) });
    }
    this.i++;
    return members;
  }

  private string(): string {
    const start = this.i++;
    while (this.text[this.i] !== '"') this.i += this.text[this.i] === '\\' ? 2 : 1;
    return this.text.slice(start, ++this.i);
  }

  private space(): void {
    while (' \t\r\n'.includes(this.text[this.i] ?? '.')) this.i++;
  }
}
