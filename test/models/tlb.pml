/*
 * How CPUs make a change of page tables known: the protocol of kernel/mm/space/tlb.c, and of who sends its messages, for
 * 3 CPUs, 2 contexts of two pages each, and CHANGES changes in all. spin looks at every order of steps (test/scripts/test_models.py);
 * each of the faults below, defined by -D, must be found.
 *
 *   FAULT_NOW       serving a message brings the PCID to the context's generation of now
 *   FAULT_EARLY     whom to tell is asked before the generation is counted
 *   FAULT_NO_FENCE  a load reads the generation before others see what it loads
 *   FAULT_OPEN      messages are served in the middle of a load
 *   FAULT_GONE      a load that begins ends the announcement of the context before it
 *
 * A page has versions, counted from 0: a change makes the next one, and when the change is over the version before is
 * freed. No CPU may have a freed version in its TLB as that of the context in its CR3. A TLB is filled at the first moment
 * at which it can be: what it gets then is the oldest version that any later moment could give it.
 */

#define CPUS     3
#define CONTEXTS 2
#define PAGES    2 /* of a context: page 0 of context 1 is entry 2 of an array of all pages */
#ifndef CHANGES
#define CHANGES 2
#endif

typedef cpu_state {
	byte cr3;                  /* the context that is loaded in truth */
	byte loaded, loading;      /* and as others read it */
	byte generation[CONTEXTS]; /* that the PCID's entries are right as of */
	byte cached[CONTEXTS * PAGES]; /* version of the page that the TLB has */
	byte mail[CPUS];           /* by sender: generation of its change that is to be served; 0: no message */
	byte mail_page[CPUS]; /* entry of the page that was changed */
};

cpu_state cpu[CPUS];
byte page[CONTEXTS * PAGES];  /* version that the tables have */
byte freed[CONTEXTS * PAGES]; /* versions that are freed: a bit each */
byte generation[CONTEXTS];
byte changes; /* begun */

/* What a CPU has of the context in its CR3 is not freed. */
#define KEPT(which, at) (!(freed[at] & (1 << cpu[which].cached[at])))
#define RIGHT(which)    (KEPT(which, cpu[which].cr3 * PAGES) && KEPT(which, cpu[which].cr3 * PAGES + 1))

/* Invalidate a page, as of a generation of its context, if the context is loaded. */
inline invalidate(changed, as_of)
{
	if
	:: cpu[me].cr3 == changed / PAGES ->
		cpu[me].cached[changed] = page[changed];
#ifdef FAULT_NOW
		cpu[me].generation[changed / PAGES] = generation[changed / PAGES]
#else
		if
		:: cpu[me].generation[changed / PAGES] == as_of - 1 -> cpu[me].generation[changed / PAGES] = as_of
		:: else
		fi
#endif
	:: else
	fi
}

inline serve()
{
	atomic {
		if
		:: cpu[me].mail[0] -> from = 0
		:: cpu[me].mail[1] -> from = 1
		:: cpu[me].mail[2] -> from = 2
		fi;
		invalidate(cpu[me].mail_page[from], cpu[me].mail[from]);
		cpu[me].mail[from] = 0;
		from = 0
	}
}

#define HAS_MAIL (cpu[me].mail[0] || cpu[me].mail[1] || cpu[me].mail[2])

inline in_load()
{
#ifdef FAULT_OPEN
	if
	:: HAS_MAIL -> serve()
	:: true
	fi
#else
	skip
#endif
}

/* Load the other context, with interrupts off. */
inline load()
{
	atomic {
		next = 1 - cpu[me].cr3;
#ifndef FAULT_NO_FENCE
		cpu[me].loading = next;
#endif
#ifdef FAULT_GONE
		cpu[me].loaded = next
#endif
	}
	seen = generation[next];
	in_load();
#ifdef FAULT_NO_FENCE
	cpu[me].loading = next;
#endif
	atomic {
		cpu[me].cr3 = next;
		if
		:: cpu[me].generation[next] == seen
		:: else ->
			cpu[me].cached[next * PAGES] = page[next * PAGES];
			cpu[me].cached[next * PAGES + 1] = page[next * PAGES + 1];
			cpu[me].generation[next] = seen
		fi;
		assert(RIGHT(me));
		seen = 0;
		next = 0
	}
	cpu[me].loaded = cpu[me].cr3
}

/* Tell `to` of this CPU's change if it concerns it. */
#define MESSAGE(to) cpu[to].mail_page[me] = at; cpu[to].mail[me] = mine
inline tell(to)
{
	if
	:: to == me
	:: atomic { to != me && cpu[to].loading == at / PAGES -> MESSAGE(to) }
	:: else ->
		if
		:: atomic { cpu[to].loaded == at / PAGES -> MESSAGE(to) }
		:: else
		fi
	fi
}

inline tell_all()
{
	tell(0);
	tell(1);
	tell(2)
}

#define ALL_SERVED (cpu[0].mail[me] == 0 && cpu[1].mail[me] == 0 && cpu[2].mail[me] == 0)

inline change()
{
	atomic { page[at]++; version = page[at] };
#ifdef FAULT_EARLY
	mine = generation[at / PAGES] + 1;
	tell_all();
	atomic { generation[at / PAGES]++; invalidate(at, mine) };
#else
	atomic { generation[at / PAGES]++; mine = generation[at / PAGES] };
	atomic { invalidate(at, mine) };
	tell_all();
#endif
	do
	:: ALL_SERVED -> break
	:: HAS_MAIL -> serve()
	od;
	/* The frame of the version before this change's is freed, and that one alone. */
	atomic {
		freed[at] = freed[at] | (1 << (version - 1));
		assert(RIGHT(0) && RIGHT(1) && RIGHT(2));
		at = 0;
		version = 0;
		mine = 0
	}
}

#define MAY_CHANGE (changes < CHANGES)

active [CPUS] proctype run_cpu()
{
	byte me = _pid, at, next, seen, mine, version, from;

end:	do
	:: HAS_MAIL -> serve()
	:: load()
	/* CPUs are alike: the first that makes a change is called 0, and the next 0 or 1. So are pages: the first is 0. */
	:: atomic { MAY_CHANGE && me <= changes -> changes++; at = 0 }; change()
	:: atomic { MAY_CHANGE && me <= changes -> changes++; at = PAGES }; change()
	:: atomic { MAY_CHANGE && changes && me <= changes -> changes++; at = 1 }; change()
	:: atomic { MAY_CHANGE && changes && me <= changes -> changes++; at = PAGES + 1 }; change()
	od
}
