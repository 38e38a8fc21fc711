/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints evring:arm, fire, lap, drop, remove. Devices by id. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM evring

#if !defined(_EVRING_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _EVRING_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(evring_arm,
	    TP_PROTO(u32 device_id, u64 cursor, u32 wake_events, u64 wake_ns),
	    TP_ARGS(device_id, cursor, wake_events, wake_ns),
	    TP_STRUCT__entry(__field(u32, device_id)
			     __field(u32, wake_events)
			     __field(u64, cursor)
			     __field(u64, wake_ns)),
	    TP_fast_assign(__entry->device_id = device_id;
			   __entry->wake_events = wake_events;
			   __entry->cursor = cursor;
			   __entry->wake_ns = wake_ns;),
	    TP_printk("device=%u cursor=%llu wake_events=%u wake_ns=%llu",
		      __entry->device_id, __entry->cursor, __entry->wake_events, __entry->wake_ns)
);

TRACE_EVENT(evring_fire,
	    TP_PROTO(u32 device_id, u64 cursor, int result),
	    TP_ARGS(device_id, cursor, result),
	    TP_STRUCT__entry(__field(u32, device_id)
			     __field(int, result)
			     __field(u64, cursor)),
	    TP_fast_assign(__entry->device_id = device_id;
			   __entry->result = result;
			   __entry->cursor = cursor;),
	    TP_printk("device=%u cursor=%llu result=%d",
		      __entry->device_id, __entry->cursor, __entry->result)
);

TRACE_EVENT(evring_lap,
	    TP_PROTO(u32 device_id, u64 cursor, u64 lost),
	    TP_ARGS(device_id, cursor, lost),
	    TP_STRUCT__entry(__field(u32, device_id)
			     __field(u64, cursor)
			     __field(u64, lost)),
	    TP_fast_assign(__entry->device_id = device_id;
			   __entry->cursor = cursor;
			   __entry->lost = lost;),
	    TP_printk("device=%u cursor=%llu lost=%llu",
		      __entry->device_id, __entry->cursor, __entry->lost)
);

TRACE_EVENT(evring_drop,
	    TP_PROTO(u32 device_id, u64 sequence, u32 dropped),
	    TP_ARGS(device_id, sequence, dropped),
	    TP_STRUCT__entry(__field(u32, device_id)
			     __field(u32, dropped)
			     __field(u64, sequence)),
	    TP_fast_assign(__entry->device_id = device_id;
			   __entry->dropped = dropped;
			   __entry->sequence = sequence;),
	    TP_printk("device=%u head=%llu dropped=%u",
		      __entry->device_id, __entry->sequence, __entry->dropped)
);

TRACE_EVENT(evring_remove,
	    TP_PROTO(u32 device_id, u64 sequence, u32 open_count),
	    TP_ARGS(device_id, sequence, open_count),
	    TP_STRUCT__entry(__field(u32, device_id)
			     __field(u32, open_count)
			     __field(u64, sequence)),
	    TP_fast_assign(__entry->device_id = device_id;
			   __entry->open_count = open_count;
			   __entry->sequence = sequence;),
	    TP_printk("device=%u head=%llu open_count=%u",
		      __entry->device_id, __entry->sequence, __entry->open_count)
);

#endif /* _EVRING_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
