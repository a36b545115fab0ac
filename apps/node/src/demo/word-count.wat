;; Counts the lines, words and bytes of a text: a WASI preview 1 program without any library.
;;
;; Parameters: [INPUT [REPEATS [RESULT]]]
;;   INPUT    the file to read, /inputs/text.txt unless given
;;   REPEATS  how often it is read, 1 unless given; each pass but a lone one is announced, so that a long run
;;            can be watched
;;   RESULT   the file to write the counts to, /outputs/counts.txt unless given
;;
;; The counts go to standard output and to RESULT. Exit code 1, with a line on standard error, when a file
;; cannot be opened or a parameter is no number.
;;
;; Memory, by address:
;;        0  an io vector (address, length), then at 8 what a call answers with
;;      512  the digits of a number
;;     1024  texts
;;   0x10000 addresses of the parameters     0x20000  the parameters
;;   0x30000 the name of a directory         0x40000  what was read
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $fd_prestat_dir_name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

  (memory (export "memory") 8)
  (data (i32.const 1024) "/inputs/text.txt\00")
  (data (i32.const 1056) "/outputs/counts.txt\00")
  (data (i32.const 1088) "lines \00")
  (data (i32.const 1096) "words \00")
  (data (i32.const 1104) "bytes \00")
  (data (i32.const 1112) "pass \00")
  (data (i32.const 1120) " of \00")
  (data (i32.const 1128) "\0a\00")
  (data (i32.const 1136) "word-count: cannot open \00")
  (data (i32.const 1168) "word-count: this is no number of repeats: \00")
  (data (i32.const 1216) "word-count: cannot read or write a file\0a\00")
  (data (i32.const 1264) "word-count: there are too many parameters\0a\00")

  (global $lines (mut i64) (i64.const 0))
  (global $words (mut i64) (i64.const 0))
  (global $bytes (mut i64) (i64.const 0))

  ;; The length of a text that ends with a zero byte.
  (func $length (param $text i32) (result i32)
    (local $end i32)
    (local.set $end (local.get $text))
    (block $found
      (loop $next
        (br_if $found (i32.eqz (i32.load8_u (local.get $end))))
        (local.set $end (i32.add (local.get $end) (i32.const 1)))
        (br $next)))
    (i32.sub (local.get $end) (local.get $text)))

  ;; Writes a text to a file, however many calls that takes.
  (func $write (param $fd i32) (param $text i32)
    (local $left i32)
    (local.set $left (call $length (local.get $text)))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $left)))
        (i32.store (i32.const 0) (local.get $text))
        (i32.store (i32.const 4) (local.get $left))
        (if (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))
          (then (call $fail (i32.const 1216) (i32.const 0))))
        (local.set $text (i32.add (local.get $text) (i32.load (i32.const 8))))
        (local.set $left (i32.sub (local.get $left) (i32.load (i32.const 8))))
        (br $next))))

  ;; Ends with exit code 1 after a line on standard error; the second text may be missing (0).
  (func $fail (param $message i32) (param $subject i32)
    (call $write (i32.const 2) (local.get $message))
    (if (local.get $subject)
      (then
        (call $write (i32.const 2) (local.get $subject))
        (call $write (i32.const 2) (i32.const 1128))))
    (call $proc_exit (i32.const 1))
    unreachable)

  ;; Writes a number in decimal digits.
  (func $write_number (param $fd i32) (param $number i64)
    (local $at i32)
    (local.set $at (i32.const 540))
    (i32.store8 (local.get $at) (i32.const 0))
    (loop $next
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at)
        (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $number) (i64.const 10)))))
      (local.set $number (i64.div_u (local.get $number) (i64.const 10)))
      (br_if $next (i64.ne (local.get $number) (i64.const 0))))
    (call $write (local.get $fd) (local.get $at)))

  ;; Writes one line "NAME NUMBER".
  (func $write_count (param $fd i32) (param $name i32) (param $number i64)
    (call $write (local.get $fd) (local.get $name))
    (call $write_number (local.get $fd) (local.get $number))
    (call $write (local.get $fd) (i32.const 1128)))

  (func $write_counts (param $fd i32)
    (call $write_count (local.get $fd) (i32.const 1088) (global.get $lines))
    (call $write_count (local.get $fd) (i32.const 1096) (global.get $words))
    (call $write_count (local.get $fd) (i32.const 1104) (global.get $bytes)))

  ;; Reads a number of at most nine digits.
  (func $parse (param $text i32) (result i32)
    (local $at i32) (local $digit i32) (local $number i32)
    (if (i32.or
          (i32.eqz (call $length (local.get $text)))
          (i32.gt_u (call $length (local.get $text)) (i32.const 9)))
      (then (call $fail (i32.const 1168) (local.get $text))))
    (local.set $at (local.get $text))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (i32.load8_u (local.get $at))))
        (local.set $digit (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
        (if (i32.gt_u (local.get $digit) (i32.const 9))
          (then (call $fail (i32.const 1168) (local.get $text))))
        (local.set $number (i32.add (i32.mul (local.get $number) (i32.const 10)) (local.get $digit)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (local.get $number))

  ;; How much of a path the directory name at 0x30000 covers, the slash after it included; 0 when it does not.
  (func $covered (param $path i32) (param $name_length i32) (result i32)
    (local $at i32)
    (block $whole
      (loop $next
        (br_if $whole (i32.ge_u (local.get $at) (local.get $name_length)))
        (if (i32.ne
              (i32.load8_u (i32.add (local.get $path) (local.get $at)))
              (i32.load8_u (i32.add (i32.const 0x30000) (local.get $at))))
          (then (return (i32.const 0))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    ;; The name "/" ends with its slash; after any other one the path must have it.
    (if (i32.eq (local.get $name_length) (i32.const 1)) (then (return (i32.const 1))))
    (if (i32.eq (i32.load8_u (i32.add (local.get $path) (local.get $at))) (i32.const 47))
      (then (return (i32.add (local.get $at) (i32.const 1)))))
    (i32.const 0))

  ;; Opens a file by its absolute path, through the directory given to the program whose name covers most of it.
  (func $open (param $path i32) (param $flags i32) (param $rights i64) (result i32)
    (local $fd i32) (local $best_fd i32) (local $best i32) (local $covered i32)
    (local.set $fd (i32.const 3))
    (block $no_more
      (loop $next
        (br_if $no_more (call $fd_prestat_get (local.get $fd) (i32.const 8)))
        (if (i32.le_u (i32.load (i32.const 12)) (i32.const 0x10000))
          (then
            (drop (call $fd_prestat_dir_name (local.get $fd) (i32.const 0x30000) (i32.load (i32.const 12))))
            (local.set $covered (call $covered (local.get $path) (i32.load (i32.const 12))))
            (if (i32.gt_u (local.get $covered) (local.get $best))
              (then
                (local.set $best (local.get $covered))
                (local.set $best_fd (local.get $fd))))))
        (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
        (br $next)))
    (if (i32.eqz (local.get $best)) (then (call $fail (i32.const 1136) (local.get $path))))
    (if (call $path_open
          (local.get $best_fd) (i32.const 1)
          (i32.add (local.get $path) (local.get $best))
          (i32.sub (call $length (local.get $path)) (local.get $best))
          (local.get $flags) (local.get $rights) (i64.const 0) (i32.const 0) (i32.const 8))
      (then (call $fail (i32.const 1136) (local.get $path))))
    (i32.load (i32.const 8)))

  ;; Counts what is in a file, anew.
  (func $count (param $path i32)
    (local $fd i32) (local $at i32) (local $end i32) (local $byte i32) (local $in_word i32)
    (global.set $lines (i64.const 0))
    (global.set $words (i64.const 0))
    (global.set $bytes (i64.const 0))
    (local.set $fd (call $open (local.get $path) (i32.const 0) (i64.const 2)))
    (block $done
      (loop $more
        (i32.store (i32.const 0) (i32.const 0x40000))
        (i32.store (i32.const 4) (i32.const 0x40000))
        (if (call $fd_read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))
          (then (call $fail (i32.const 1216) (i32.const 0))))
        (br_if $done (i32.eqz (i32.load (i32.const 8))))
        (global.set $bytes (i64.add (global.get $bytes) (i64.extend_i32_u (i32.load (i32.const 8)))))
        (local.set $at (i32.const 0x40000))
        (local.set $end (i32.add (local.get $at) (i32.load (i32.const 8))))
        (loop $next
          (local.set $byte (i32.load8_u (local.get $at)))
          (if (i32.eq (local.get $byte) (i32.const 10))
            (then (global.set $lines (i64.add (global.get $lines) (i64.const 1)))))
          ;; White space is the space, and the tab, line feed, vertical tab, form feed and carriage return.
          (if (i32.or
                (i32.eq (local.get $byte) (i32.const 32))
                (i32.lt_u (i32.sub (local.get $byte) (i32.const 9)) (i32.const 5)))
            (then (local.set $in_word (i32.const 0)))
            (else
              (if (i32.eqz (local.get $in_word))
                (then (global.set $words (i64.add (global.get $words) (i64.const 1)))))
              (local.set $in_word (i32.const 1))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
        (br $more)))
    (drop (call $fd_close (local.get $fd))))

  ;; The address of a parameter, or another text where there is no such parameter.
  (func $parameter (param $index i32) (param $otherwise i32) (result i32)
    (if (i32.ge_u (local.get $index) (i32.load (i32.const 16))) (then (return (local.get $otherwise))))
    (i32.load (i32.add (i32.const 0x10000) (i32.mul (local.get $index) (i32.const 4)))))

  (func (export "_start")
    (local $input i32) (local $pass i32) (local $repeats i32) (local $result i32)
    (drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
    (if (i32.or
          (i32.gt_u (i32.load (i32.const 16)) (i32.const 0x4000))
          (i32.gt_u (i32.load (i32.const 20)) (i32.const 0x10000)))
      (then (call $fail (i32.const 1264) (i32.const 0))))
    (drop (call $args_get (i32.const 0x10000) (i32.const 0x20000)))
    (local.set $input (call $parameter (i32.const 1) (i32.const 1024)))
    (local.set $repeats (i32.const 1))
    (if (i32.gt_u (i32.load (i32.const 16)) (i32.const 2))
      (then (local.set $repeats (call $parse (call $parameter (i32.const 2) (i32.const 0))))))
    (loop $again
      (local.set $pass (i32.add (local.get $pass) (i32.const 1)))
      (if (i32.gt_u (local.get $repeats) (i32.const 1))
        (then
          (call $write (i32.const 1) (i32.const 1112))
          (call $write_number (i32.const 1) (i64.extend_i32_u (local.get $pass)))
          (call $write (i32.const 1) (i32.const 1120))
          (call $write_count (i32.const 1) (i32.const 1134) (i64.extend_i32_u (local.get $repeats)))))
      (call $count (local.get $input))
      (br_if $again (i32.lt_u (local.get $pass) (local.get $repeats))))
    (call $write_counts (i32.const 1))
    ;; Created or emptied, then written.
    (local.set $result
      (call $open (call $parameter (i32.const 3) (i32.const 1056)) (i32.const 9) (i64.const 0x40)))
    (call $write_counts (local.get $result))
    (if (call $fd_close (local.get $result)) (then (call $fail (i32.const 1216) (i32.const 0)))))
)
