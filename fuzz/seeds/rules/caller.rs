7declare_trace! {
    /// # Safety
    unsafe fn rust_hook(x: *const crate::bindings::task_struct, r#y: u32);
}
fn f() { /* nested /* comment */ */ let s = r#"a "quote""#; unsafe { rust_hook(p, 1) }; let c = '\''; }
