/**
 * Commands of etcdctl whose output must be the same from us as from etcd. `$L`
 * is the lease that the last `lease grant` made.
 */

export interface Step {
  readonly args: readonly string[];
  readonly stdin?: string;
}

function step(line: string, stdin?: string): Step {
  const args = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
  return stdin === undefined ? { args } : { args, stdin };
}

/** Compares, operations if they hold, operations if not; each part a list of lines. */
function txn(compares: string, success: string, failure: string): Step {
  return step("txn --interactive", `${compares}\n\n${success}\n\n${failure}\n\n`);
}

export const SCRIPT: readonly Step[] = [
  step("put a 1"),
  step("put a 2 --prev-kv"),
  step('put b "two words"'),
  step("put b", "from standard input"),
  step('put empty ""'),
  step('put "" nothing'),
  step("put dir/x 10"),
  step("put dir/y 9"),
  step("put dir/z 8"),
  step("put dir/x 7"),
  step("put a --ignore-value --lease 1"),
  step("put missing --ignore-value"),
  step("put missing x --ignore-lease"),
  step("put x y --lease 12345"),
  step("get a"),
  step("get missing"),
  step("get a --print-value-only"),
  step("get a -w json"),
  step("get a -w fields"),
  step("get a --hex"),
  step("get dir/ --prefix"),
  step("get dir/ --prefix --keys-only"),
  step("get dir/ --prefix --count-only"),
  step("get dir/ --prefix --count-only -w fields"),
  step("get dir/ --prefix --limit 2 -w json"),
  step("get dir/ --prefix --order DESCEND"),
  step("get dir/ --prefix --sort-by VALUE --order ASCEND"),
  step("get dir/ --prefix --sort-by MODIFY"),
  step("get dir/ --prefix --sort-by CREATE --order DESCEND"),
  step("get dir/ --prefix --sort-by VERSION --order DESCEND --limit 1"),
  step("get dir/x dir/z"),
  step("get dir/z dir/x"),
  step("get b --from-key --keys-only"),
  step("get a --rev 2"),
  step("get a --rev 1"),
  step("get a --rev 99999"),
  step("get a --consistency s"),
  step('get "" --prefix --keys-only'),
  step("del missing"),
  step("del empty --prev-kv"),
  step("del dir/x dir/z --prev-kv"),
  step("get dir/ --prefix"),
  step("put dir/x again -w json"),
  step("get dir/x -w json"),
  txn('value("a") = "2"', "put a 3\nget a", "get b"),
  txn('value("a") = "2"', "put a 4", "get a"),
  txn('version("a") > "1"\ncreate("a") < "9"\nmod("a") > "3"', "get a", "del a"),
  txn('value("missing") = ""', "get a", "put nobody home"),
  txn('version("missing") = "0"', "put once 1", "get once"),
  txn('version("missing2") != "0"', "put once 2", "get once --rev 2"),
  txn("", "put t 1\nput u 2\nget t\ndel u\nget u", ""),
  txn("", "put twice 1\nput twice 2", ""),
  txn("", "del dir/ --prefix\nput dir/new 1", ""),
  txn("", "get a --rev 99999", ""),
  step("txn -w json", 'value("a") = "3"\n\nput a 5\nget a\n\nget b\n\n'),
  step("watch a --rev 2 --progress-notify=bogus"),
  // Hashes, while no key is bound to a lease: ids of leases are random and part of what is hashed.
  step("endpoint hashkv"),
  step("compaction 3 --physical"),
  step("endpoint hashkv"),
  step("endpoint hashkv --rev 15"),
  step("lease grant 100"),
  step("put leased 1 --lease $L"),
  step("get leased -w json"),
  step("lease timetolive $L --keys"),
  step("lease list"),
  step("lease keep-alive $L --once"),
  step("put leased 2 --ignore-lease"),
  step("put leased 3"),
  step("lease timetolive $L --keys"),
  step("put leased 4 --lease $L"),
  step("lease revoke $L"),
  step("lease revoke $L"),
  step("lease timetolive $L"),
  step("lease keep-alive $L --once"),
  step("lease keep-alive 77 --once"),
  step("get leased"),
  step("lease grant 0"),
  step("lease grant 99999999999"),
  step("lease list"),
  step("compaction 12"),
  step("compaction 12"),
  step("compaction 99999"),
  step("get a --rev 5"),
  step("get a --rev 12"),
  step("compaction 20 --physical"),
  step("endpoint hashkv --rev 12"),
  step("endpoint hashkv --rev 99"),
  step("endpoint health"),
  step("alarm list"),
  step("defrag"),
  step('del "" --from-key'),
  step('get "" --from-key'),
];
