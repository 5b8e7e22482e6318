export function completion(_s: string, _r: object): string { return ""; }
